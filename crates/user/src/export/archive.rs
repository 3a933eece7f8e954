//! A ZIP that leaves piece by piece.

use std::{
    io::{self, Write},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use zip::{
    ZipWriter,
    result::ZipResult,
    write::{SimpleFileOptions, StreamWriter},
};

pub(super) struct Archive {
    writer: ZipWriter<StreamWriter<Outlet>>,
    outlet: Outlet,
}

/// What the writer has written and nobody has taken yet.
#[derive(Clone, Default)]
struct Outlet(Arc<Mutex<Vec<u8>>>);

impl Archive {
    pub(super) fn new() -> Self {
        let outlet = Outlet::default();
        Self {
            writer: ZipWriter::new_stream(outlet.clone()),
            outlet,
        }
    }

    /// A whole file.
    pub(super) fn add(&mut self, name: &str, content: &[u8]) -> ZipResult<()> {
        self.start(name)?;
        self.write(content)
    }

    /// Begins a file; what is written from now on is in it.
    pub(super) fn start(&mut self, name: &str) -> ZipResult<()> {
        let options = SimpleFileOptions::default().large_file(true);
        self.writer.start_file(name, options)
    }

    pub(super) fn write(&mut self, content: &[u8]) -> ZipResult<()> {
        Ok(self.writer.write_all(content)?)
    }

    /// What came out meanwhile.
    pub(super) fn take(&self) -> Bytes {
        mem::take(&mut *self.outlet.written()).into()
    }

    /// The last of it.
    pub(super) fn finish(self) -> ZipResult<Bytes> {
        self.writer.finish()?;
        Ok(mem::take(&mut *self.outlet.written()).into())
    }
}

impl Outlet {
    fn written(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
