//! Questions to the leader of a stream, where a stale answer would do harm.

use std::time::Duration;

use async_nats::jetstream::{
    self,
    message::StreamMessage,
    stream::{RawMessageError, RawMessageErrorKind},
};
use chrono::{DateTime, Utc};
use doran_eventstore::{envelope, topology::INCARNATION};
use tokio::time::timeout;
use uuid::Uuid;

const DEADLINE: Duration = Duration::from_secs(2);

/// One stream, narrowed to the events that fit the filters.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    js: jetstream::Context,
    stream: String,
    filters: Vec<String>,
}

/// The log could not be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    #[error("the event log did not answer in time")]
    Late,
    #[error("the event log cannot be asked")]
    Failed(#[source] async_nats::Error),
}

/// How far a stream reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    pub(crate) first: u64,
    pub(crate) head: u64,
    /// Empty for a stream that was not made by `doran_eventstore::topology`.
    pub(crate) incarnation: String,
    /// The name of the server that answered, in a cluster.
    leader: Option<String>,
}

/// What lies between a position and the log's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Beyond {
    /// Nothing that fits the filters, up to and with this sequence.
    NothingUpTo(u64),
    /// An event that fits.
    Event { stored_at: DateTime<Utc> },
    /// The leader changed meanwhile, so its answer proves nothing. Ask again.
    Unsure,
}

impl Log {
    pub(crate) fn new(js: jetstream::Context, stream: &str, filters: &[String]) -> Self {
        Self {
            js,
            stream: stream.to_owned(),
            filters: filters.to_vec(),
        }
    }

    pub(crate) async fn reach(&self) -> Result<Reach, LogError> {
        let asked = async {
            let stream = self.js.get_stream_no_info(&self.stream).await?;
            Ok::<_, async_nats::Error>(stream.get_info().await?)
        };
        let info = within(asked).await?;
        Ok(Reach {
            first: info.state.first_sequence,
            head: info.state.last_sequence,
            incarnation: info
                .config
                .metadata
                .get(INCARNATION)
                .cloned()
                .unwrap_or_default(),
            leader: info.cluster.and_then(|cluster| cluster.leader),
        })
    }

    /// Whether an event that fits lies after `position`, as far as the log reached `before`.
    ///
    /// A new leader may not have caught up with the head its predecessor told, hence the second
    /// look where it knows of nothing at all.
    pub(crate) async fn beyond(&self, before: &Reach, position: u64) -> Result<Beyond, LogError> {
        if before.head <= position {
            return Ok(Beyond::NothingUpTo(before.head));
        }
        if let Some(next) = self.next_after(position).await? {
            return Ok(if next.sequence > before.head {
                Beyond::NothingUpTo(before.head)
            } else {
                Beyond::Event {
                    stored_at: stored_at(&next),
                }
            });
        }
        let is_same_leader = before.leader.is_none() || self.reach().await?.leader == before.leader;
        Ok(if is_same_leader {
            Beyond::NothingUpTo(before.head)
        } else {
            Beyond::Unsure
        })
    }

    pub(crate) fn stream(&self) -> &str {
        &self.stream
    }

    /// Whether an event that fits lies after `position`, up to and with `end`.
    pub(crate) async fn has_between(&self, position: u64, end: u64) -> Result<bool, LogError> {
        let next = self.next_after(position).await?;
        Ok(next.is_some_and(|next| next.sequence <= end))
    }

    /// The last sequence that fits `filter`, 0 for none.
    pub(crate) async fn last(&self, filter: &str) -> Result<u64, LogError> {
        Ok(self
            .last_message(filter)
            .await?
            .map_or(0, |message| message.sequence))
    }

    /// The last sequence that fits one of the filters, 0 for none or none stored since then.
    pub(crate) async fn last_since(&self, since: Option<DateTime<Utc>>) -> Result<u64, LogError> {
        let mut last = 0;
        for filter in &self.filters {
            let Some(message) = self.last_message(filter).await? else {
                continue;
            };
            if since.is_none_or(|since| stored_at(&message) >= since) {
                last = message.sequence.max(last);
            }
        }
        Ok(last)
    }

    /// The id that the message at `sequence` carries: the outer none means that there is no
    /// message, the inner one that it has no envelope.
    pub(crate) async fn event_id(&self, sequence: u64) -> Result<Option<Option<Uuid>>, LogError> {
        let asked = async {
            let stream = self.js.get_stream_no_info(&self.stream).await?;
            found(stream.get_raw_message(sequence).await)
        };
        let message = within(asked).await?;
        Ok(message.map(|message| {
            let id = message.headers.get(envelope::EVENT_ID)?;
            id.as_str().parse().ok()
        }))
    }

    async fn last_message(&self, filter: &str) -> Result<Option<StreamMessage>, LogError> {
        within(async {
            let stream = self.js.get_stream_no_info(&self.stream).await?;
            found(stream.get_last_raw_message_by_subject(filter).await)
        })
        .await
    }

    async fn next_after(&self, position: u64) -> Result<Option<StreamMessage>, LogError> {
        let mut next: Option<StreamMessage> = None;
        for filter in &self.filters {
            let asked = async {
                let stream = self.js.get_stream_no_info(&self.stream).await?;
                found(
                    stream
                        .get_first_raw_message_by_subject(filter, position + 1)
                        .await,
                )
            };
            let Some(message) = within(asked).await? else {
                continue;
            };
            let is_earlier = |known: &StreamMessage| message.sequence < known.sequence;
            if next.as_ref().is_none_or(is_earlier) {
                next = Some(message);
            }
        }
        Ok(next)
    }
}

fn stored_at(message: &StreamMessage) -> DateTime<Utc> {
    DateTime::from_timestamp(message.time.unix_timestamp(), message.time.nanosecond())
        .unwrap_or_default()
}

async fn within<T>(
    asked: impl Future<Output = Result<T, async_nats::Error>>,
) -> Result<T, LogError> {
    timeout(DEADLINE, asked)
        .await
        .map_err(|_elapsed| LogError::Late)?
        .map_err(LogError::Failed)
}

fn found(
    answer: Result<StreamMessage, RawMessageError>,
) -> Result<Option<StreamMessage>, async_nats::Error> {
    match answer {
        Ok(message) => Ok(Some(message)),
        Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}
