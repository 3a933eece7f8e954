//! Reading a stream: by place, by subject, and as it grows. Never writes.

mod follow;

use std::sync::Arc;

use async_nats::jetstream;

pub use self::follow::{Follow, LogChanged, Start};
use crate::{BoxError, NotRecorded, Recorded};

/// Why the log could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be reached, or did not answer within its deadline (2 s).
    #[error("the event log cannot be reached")]
    Unavailable(#[source] BoxError),
    /// `last_per_subject` fits up to 1024 subjects.
    #[error("more subjects fit the filter than one read may return")]
    TooManySubjects,
    /// An answer without the headers that a stream's answer has.
    #[error("the answer is not a stored message")]
    NotRecorded(#[from] NotRecorded),
}

/// Reads one stream. Cheap to clone.
#[derive(Clone, Debug)]
pub struct LogReader {
    js: jetstream::Context,
    stream: Arc<str>,
}

impl LogReader {
    pub fn new(js: jetstream::Context, stream: impl Into<Arc<str>>) -> Self {
        Self {
            js,
            stream: stream.into(),
        }
    }

    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// Up to `max` events whose subject fits `filter`, from `from_sequence` on, in stream order.
    ///
    /// Fewer than `max` mean that the log had no more of them when it was asked.
    pub async fn read(
        &self,
        filter: &str,
        from_sequence: u64,
        max: usize,
    ) -> Result<Vec<Recorded>, ReadError> {
        let _ = (filter, from_sequence, max, &self.js);
        todo!()
    }

    /// The last event whose subject fits `filter` (wildcards allowed).
    pub async fn last(&self, filter: &str) -> Result<Option<Recorded>, ReadError> {
        let _ = filter;
        todo!()
    }

    /// The last event of each subject that fits `filter`, in stream order.
    pub async fn last_per_subject(&self, filter: &str) -> Result<Vec<Recorded>, ReadError> {
        let _ = filter;
        todo!()
    }

    /// The event at a sequence, none where there is none (any more).
    pub async fn get(&self, sequence: u64) -> Result<Option<Recorded>, ReadError> {
        let _ = sequence;
        todo!()
    }

    /// Who holds a claim: the aggregate's id.
    pub async fn claim_owner(&self, kind: &str, key: &str) -> Result<Option<String>, ReadError> {
        let _ = (kind, key);
        todo!()
    }

    /// The sequence of the stream's last message, 0 for an empty stream; asked of the leader.
    pub async fn head(&self) -> Result<u64, ReadError> {
        todo!()
    }

    /// The stream's incarnation: made when the stream was created, so a log that was deleted and
    /// made anew has another. None for a stream that was not created by [`crate::topology`].
    pub async fn incarnation(&self) -> Result<Option<String>, ReadError> {
        todo!()
    }

    /// All events that fit one of the filters, from `start` on, as they come, without end.
    ///
    /// No filters mean the whole stream. Nothing is skipped and nothing repeated; lost connections
    /// and restarted servers are healed within. The only error ends the stream: the log is not the
    /// one it was.
    pub fn follow(&self, filters: Vec<String>, start: Start) -> Follow {
        let _ = (filters, start);
        todo!()
    }
}
