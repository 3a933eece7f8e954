//! A lane: appending without a guard, many events in flight, in the order of the calls.

use async_nats::jetstream;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{BoxError, CommandContext};

/// One event for a lane.
#[derive(Clone, Debug)]
pub struct NewEvent<'a> {
    pub subject: String,
    pub event_type: &'a str,
    pub version: u32,
    /// Also its `Nats-Msg-Id`. It must be unique in the whole stream, so it has to contain the
    /// aggregate: JetStream drops a second message of the same id, whatever its subject.
    pub event_id: Uuid,
    /// The event's own JSON.
    pub body: Bytes,
    pub ctx: &'a CommandContext,
}

/// Where an event came to lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    pub stream: String,
    pub sequence: u64,
    /// The event was there before; `sequence` and `time` are those of the first time.
    pub duplicate: bool,
    /// `ce-time` of the stored event.
    pub time: DateTime<Utc>,
}

/// Why an event was not appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Nothing was sent; the same event may be sent again.
    #[error("the event log cannot be reached")]
    Unavailable(#[source] BoxError),
    /// No answer came in time. Only the identical event may be sent again.
    #[error("the event log did not say whether it stored the event")]
    FateUnknown,
    /// The log refuses the event for good: too large, full, id used for another event.
    #[error("the event log does not take the event")]
    Rejected(#[source] BoxError),
}

/// Appends events of one kind as fast as the log takes them.
///
/// Two events handed over one after the other on one lane lie in the log in that order.
#[derive(Clone, Debug)]
pub struct Lane {
    js: jetstream::Context,
}

/// An event that is on its way to the log.
#[derive(Debug)]
pub struct InFlight {}

impl Lane {
    pub fn new(js: jetstream::Context) -> Self {
        Self { js }
    }

    /// Hands the event over and waits until the log has it. Ends within 5 s.
    pub async fn append(&self, event: NewEvent<'_>) -> Result<Appended, AppendError> {
        self.submit(event).await?.stored().await
    }

    /// Hands the event over; its place in the order is taken when this returns.
    pub async fn submit(&self, event: NewEvent<'_>) -> Result<InFlight, AppendError> {
        let _ = (event, &self.js);
        todo!()
    }
}

impl InFlight {
    /// Waits until the log has the event, sending the identical message again where no answer
    /// comes. Ends within 5 s of the submission.
    pub async fn stored(self) -> Result<Appended, AppendError> {
        todo!()
    }
}
