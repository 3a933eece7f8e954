//! A file's bytes in sealed parts of one size, so that any range of them can be read by itself.
//!
//! Each part is sealed with the uploader's data key at its place, blob and number: parts cannot be
//! exchanged, and when the key is destroyed they are noise wherever they were copied to.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use doran_contract::BlobId;
use doran_platform::keyring::DataKey;
use futures_util::{Stream, stream::try_unfold};

use super::{BlobError, Blobs};

/// Bytes of a part before it is sealed.
pub(crate) const PART_BYTES: usize = 1024 * 1024;
const PART: u64 = PART_BYTES as u64;

/// The parts of one blob.
#[derive(Clone)]
pub(crate) struct Parts {
    blobs: Arc<dyn Blobs>,
    blob: BlobId,
}

impl Parts {
    pub(crate) fn of(blobs: &Arc<dyn Blobs>, blob: BlobId) -> Self {
        Self {
            blobs: Arc::clone(blobs),
            blob,
        }
    }

    pub(crate) async fn put(
        &self,
        key: &DataKey,
        number: u64,
        bytes: &[u8],
    ) -> Result<(), BlobError> {
        self.seal(key, &self.part(number), bytes).await
    }

    pub(crate) async fn put_thumbnail(&self, key: &DataKey, bytes: &[u8]) -> Result<(), BlobError> {
        self.seal(key, &self.thumbnail_name(), bytes).await
    }

    pub(crate) async fn thumbnail(&self, key: &DataKey) -> Result<Bytes, BlobError> {
        self.open(key, &self.thumbnail_name()).await
    }

    /// The bytes of `range`, part by part as they are taken.
    pub(crate) fn read(
        self,
        key: DataKey,
        range: Range<u64>,
    ) -> impl Stream<Item = Result<Bytes, BlobError>> {
        try_unfold((self, key, range), async |(parts, key, range)| {
            if range.is_empty() {
                return Ok(None);
            }
            let number = range.start / PART;
            let bytes = parts.open(&key, &parts.part(number)).await?;
            let from = range.start - number * PART;
            let to = (range.end - number * PART).min(PART);
            let bytes = slice(&bytes, from, to).ok_or(BlobError::Damaged)?;
            let rest = range.start + (to - from)..range.end;
            Ok(Some((bytes, (parts, key, rest))))
        })
    }

    /// Deletes what there may be of so many bytes, and the thumbnail.
    pub(crate) async fn delete(&self, size_bytes: u64) -> Result<(), BlobError> {
        for number in 0..size_bytes.div_ceil(PART) {
            self.blobs.delete(&self.part(number)).await?;
        }
        self.blobs.delete(&self.thumbnail_name()).await
    }

    async fn seal(&self, key: &DataKey, name: &str, bytes: &[u8]) -> Result<(), BlobError> {
        self.blobs
            .put(name, key.seal_bytes(name, bytes).into())
            .await
    }

    async fn open(&self, key: &DataKey, name: &str) -> Result<Bytes, BlobError> {
        let sealed = self.blobs.get(name).await?.ok_or(BlobError::Damaged)?;
        let opened = key.open_bytes(name, &sealed);
        let opened = opened.map_err(|_error| BlobError::Damaged)?;
        Ok(Bytes::copy_from_slice(&opened))
    }

    fn part(&self, number: u64) -> String {
        format!("{}/{number}", self.blob)
    }

    fn thumbnail_name(&self) -> String {
        format!("{}/thumbnail", self.blob)
    }
}

fn slice(bytes: &Bytes, from: u64, to: u64) -> Option<Bytes> {
    let range = usize::try_from(from).ok()?..usize::try_from(to).ok()?;
    bytes.get(range.clone())?;
    Some(bytes.slice(range))
}
