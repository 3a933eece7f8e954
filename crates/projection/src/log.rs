//! Questions to the leader of a stream, where a stale answer would do harm.

use async_nats::jetstream::{self, message::StreamMessage};
use chrono::{DateTime, Utc};
use doran_eventstore::{Leader, ReadError, envelope, topology::incarnation};
use uuid::Uuid;

/// One stream, narrowed to the events that fit the filters.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    leader: Leader,
    stream: String,
    filters: Vec<String>,
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
            leader: Leader::new(js, stream),
            stream: stream.to_owned(),
            filters: filters.to_vec(),
        }
    }

    pub(crate) async fn reach(&self) -> Result<Reach, ReadError> {
        let info = self.leader.info().await?;
        Ok(Reach {
            first: info.state.first_sequence,
            head: info.state.last_sequence,
            incarnation: incarnation(&info.config).unwrap_or_default().to_owned(),
            leader: info.cluster.and_then(|cluster| cluster.leader),
        })
    }

    /// Whether an event that fits lies after `position`, as far as the log reached `before`.
    ///
    /// A new leader may not have caught up with the head its predecessor told, hence the second
    /// look where it knows of nothing at all.
    pub(crate) async fn beyond(&self, before: &Reach, position: u64) -> Result<Beyond, ReadError> {
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
    pub(crate) async fn has_between(&self, position: u64, end: u64) -> Result<bool, ReadError> {
        let next = self.next_after(position).await?;
        Ok(next.is_some_and(|next| next.sequence <= end))
    }

    /// The last sequence that fits `filter`, 0 for none.
    pub(crate) async fn last(&self, filter: &str) -> Result<u64, ReadError> {
        let last = self.leader.last(filter).await?;
        Ok(last.map_or(0, |message| message.sequence))
    }

    /// The last sequence that fits one of the filters, 0 for none or none stored since then.
    pub(crate) async fn last_since(&self, since: Option<DateTime<Utc>>) -> Result<u64, ReadError> {
        let mut last = 0;
        for filter in &self.filters {
            let Some(message) = self.leader.last(filter).await? else {
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
    pub(crate) async fn event_id(&self, sequence: u64) -> Result<Option<Option<Uuid>>, ReadError> {
        let message = self.leader.get(sequence).await?;
        Ok(message.map(|message| {
            let id = message.headers.get(envelope::EVENT_ID)?;
            id.as_str().parse().ok()
        }))
    }

    async fn next_after(&self, position: u64) -> Result<Option<StreamMessage>, ReadError> {
        let mut next: Option<StreamMessage> = None;
        for filter in &self.filters {
            let Some(message) = self.leader.next(filter, position + 1).await? else {
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
