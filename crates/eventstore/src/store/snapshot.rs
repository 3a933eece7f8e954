//! Snapshots: states of aggregates that were slow to load, in a KV bucket.
//!
//! They are a cache that survives a restart. One that cannot be read, or does not belong to the
//! log, is as good as none, and no command fails for lack of one.

use std::time::Duration;

use async_nats::{HeaderMap, jetstream};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::state::{AggregateState, Commands};
use crate::{
    BoxError, EventSourced, LogReader,
    deadline::{Deadline, TRY},
    publish::{self, Answer, Message},
};

/// The stream behind the bucket `SNAPSHOT`.
const BUCKET: &str = "KV_SNAPSHOT";

/// After which loads a snapshot is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotPolicy {
    /// When so many events had to be read.
    pub after_events: usize,
    /// When reading more than one event took so long.
    pub after: Duration,
}

impl Default for SnapshotPolicy {
    /// After 500 events or 30 ms.
    fn default() -> Self {
        Self {
            after_events: 500,
            after: Duration::from_millis(30),
        }
    }
}

#[derive(Debug)]
pub(super) struct Snapshots {
    js: jetstream::Context,
    bucket: LogReader,
    policy: SnapshotPolicy,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Snapshot<A> {
    state_version: u32,
    sequence: u64,
    last_event: Option<Uuid>,
    commands: Commands,
    aggregate: A,
}

/// What is read first: the rest has the shape only if the version fits.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    state_version: u32,
}

impl Snapshots {
    pub(super) fn new(js: jetstream::Context, policy: SnapshotPolicy) -> Self {
        Self {
            bucket: LogReader::new(js.clone(), BUCKET),
            js,
            policy,
        }
    }

    pub(super) fn are_due(&self, events: usize, took: Duration) -> bool {
        events >= self.policy.after_events || (events > 1 && took >= self.policy.after)
    }

    /// A snapshot that names its last event: whoever goes on from it sees whether the log holds that.
    pub(super) async fn read<A: EventSourced>(&self, id: &str) -> Option<AggregateState<A>> {
        match self.try_read(id).await {
            Ok(state) => state,
            Err(error) => {
                tracing::debug!(error, aggregate = A::TYPE, "a snapshot cannot be read");
                None
            }
        }
    }

    pub(super) async fn write<A: EventSourced>(&self, state: &AggregateState<A>) {
        let outcome = match self.try_write(state).await {
            Ok(()) => "written",
            Err(error) => {
                tracing::warn!(error, aggregate = A::TYPE, "a snapshot cannot be written");
                "failed"
            }
        };
        metrics::counter!("eventstore_snapshots_total", "outcome" => outcome).increment(1);
    }

    async fn try_read<A: EventSourced>(
        &self,
        id: &str,
    ) -> Result<Option<AggregateState<A>>, BoxError> {
        let Some(stored) = self.bucket.last_of_a_replica(&subject(A::TYPE, id)).await? else {
            return Ok(None);
        };
        let Some(snapshot) = parse::<A>(&stored.payload, A::STATE_VERSION)? else {
            return Ok(None);
        };
        Ok(Some(AggregateState {
            id: id.to_owned(),
            aggregate: snapshot.aggregate,
            sequence: snapshot.sequence,
            last_event: snapshot.last_event,
            commands: snapshot.commands,
        }))
    }

    async fn try_write<A: EventSourced>(&self, state: &AggregateState<A>) -> Result<(), BoxError> {
        let snapshot = Snapshot {
            state_version: A::STATE_VERSION,
            sequence: state.sequence,
            last_event: state.last_event,
            commands: state.commands.clone(),
            aggregate: &state.aggregate,
        };
        let message = Message {
            subject: subject(A::TYPE, &state.id),
            headers: HeaderMap::new(),
            body: serde_json::to_vec(&snapshot)?.into(),
        };
        let deadline = Deadline::after(TRY);
        let answer = match publish::send(&self.js, message, deadline).await {
            Ok(ack) => publish::answer(ack, deadline).await,
            Err(not_sent) => not_sent,
        };
        match answer {
            Answer::Stored(_) => Ok(()),
            Answer::NotNow(reason) | Answer::Full(reason) | Answer::Never(reason) => Err(reason),
            Answer::Conflict | Answer::Silence => Err("no acknowledgement came".into()),
        }
    }
}

fn parse<A: DeserializeOwned>(
    bytes: &[u8],
    state_version: u32,
) -> Result<Option<Snapshot<A>>, serde_json::Error> {
    let stored: Version = serde_json::from_slice(bytes)?;
    if stored.state_version != state_version {
        return Ok(None);
    }
    serde_json::from_slice(bytes).map(Some)
}

fn subject(aggregate_type: &str, id: &str) -> String {
    format!("$KV.SNAPSHOT.{aggregate_type}.{id}")
}
