//! The streams of one connection.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use async_nats::jetstream;

use super::{
    LogReader,
    follow::KnownLog,
    tail::{Pace, Tail},
};

/// The streams of one connection, as a process follows them. Cheap to clone.
///
/// Readers that come from it and from its clones share what they read: a stream that several of
/// them follow is read from the server once.
#[derive(Clone, Debug)]
pub struct Logs {
    js: jetstream::Context,
    tails: Arc<Tails>,
}

/// What is read for everybody, by stream.
#[derive(Debug)]
pub(super) struct Tails {
    pace: Pace,
    running: Mutex<HashMap<Arc<str>, Weak<Tail>>>,
}

impl Logs {
    /// What is new is shared. What lies further back each reads for itself, so nobody waits for
    /// anybody.
    pub fn new(js: jetstream::Context) -> Self {
        Self::at(Pace::Live, js)
    }

    /// What is past is shared as well, for followers that begin at one place within a second. They
    /// wait for the slowest of them, up to 10 s, after which it reads for itself.
    pub fn in_step(js: jetstream::Context) -> Self {
        Self::at(Pace::InStep, js)
    }

    fn at(pace: Pace, js: jetstream::Context) -> Self {
        let running = Mutex::default();
        Self {
            js,
            tails: Arc::new(Tails { pace, running }),
        }
    }

    pub fn js(&self) -> &jetstream::Context {
        &self.js
    }

    pub fn reader(&self, stream: impl Into<Arc<str>>) -> LogReader {
        let mut reader = LogReader::new(self.js.clone(), stream);
        reader.tails = Some(Arc::clone(&self.tails));
        reader
    }
}

impl Tails {
    /// What everybody here reads of a stream. If nobody does yet it is begun: at the log's head, or
    /// at where a follower is that goes in step.
    pub(super) fn tail(
        &self,
        alone: LogReader,
        log: &KnownLog,
        (before, head): (Option<u64>, u64),
    ) -> Arc<Tail> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let tail = running.get(&alone.stream).and_then(Weak::upgrade);
        if let Some(tail) = tail.filter(|tail| !tail.is_over()) {
            return tail;
        }
        let since = match self.pace {
            Pace::Live => head,
            Pace::InStep => before.unwrap_or(head),
        };
        let stream = Arc::clone(&alone.stream);
        let tail = Arc::new(Tail::start(alone, since, log.clone(), self.pace));
        running.insert(stream, Arc::downgrade(&tail));
        tail
    }
}

impl From<jetstream::Context> for Logs {
    fn from(js: jetstream::Context) -> Self {
        Self::new(js)
    }
}
