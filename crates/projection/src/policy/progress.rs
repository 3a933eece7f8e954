//! How far a policy is with each aggregate, and which aggregates are parked, in the bucket `POLICY`.

use async_nats::jetstream::{
    self,
    kv::{self, Operation, Watch},
    stream::LastRawMessageErrorKind,
};
use chrono::{DateTime, Utc};
use doran_eventstore::{BoxError, LogReader};
use serde::{Deserialize, Serialize};

use super::Declaration;

const BUCKET: &str = "POLICY";

/// An aggregate whose events wait for an operator, in their order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parked {
    pub aggregate: String,
    /// Of the event that could not be handled. Those after it wait behind it.
    pub sequence: u64,
    pub event_type: String,
    pub reason: String,
    pub parked_at: DateTime<Utc>,
}

/// The last event of an aggregate that was handled.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Done {
    sequence: u64,
    /// Of the log it lies in: in another one its sequence says nothing.
    incarnation: String,
}

/// What was handled, and the revision under which that is noted.
pub(super) struct Noted {
    pub(super) sequence: u64,
    revision: u64,
}

pub(super) struct Progress {
    bucket: kv::Store,
    reader: LogReader,
    prefix: String,
}

impl Progress {
    pub(super) async fn open(
        js: &jetstream::Context,
        declaration: &Declaration,
    ) -> Result<Self, BoxError> {
        Ok(Self {
            bucket: js.get_key_value(BUCKET).await?,
            reader: LogReader::new(js.clone(), format!("KV_{BUCKET}")),
            prefix: format!("{}.{}", declaration.service, declaration.consumer()),
        })
    }

    /// The last event of the aggregate that was handled; 0 for none.
    pub(super) async fn done(&self, aggregate: &str, incarnation: &str) -> Result<Noted, BoxError> {
        let subject = format!("$KV.{BUCKET}.{}", self.done_key(aggregate));
        let Some(stored) = self.reader.last(&subject).await? else {
            return Ok(Noted {
                sequence: 0,
                revision: 0,
            });
        };
        let done: Done = serde_json::from_slice(&stored.payload)?;
        let is_of_this_log = done.incarnation == incarnation;
        Ok(Noted {
            sequence: if is_of_this_log { done.sequence } else { 0 },
            revision: stored.sequence,
        })
    }

    /// Fails if somebody else noted something meanwhile.
    pub(super) async fn note(
        &self,
        aggregate: &str,
        incarnation: &str,
        (before, sequence): (&Noted, u64),
    ) -> Result<(), BoxError> {
        let done = Done {
            sequence,
            incarnation: incarnation.to_owned(),
        };
        let value = serde_json::to_vec(&done)?.into();
        let key = self.done_key(aggregate);
        self.bucket.update(key, value, before.revision).await?;
        Ok(())
    }

    pub(super) async fn park(&self, parked: &Parked) -> Result<(), BoxError> {
        let value = serde_json::to_vec(parked)?.into();
        self.bucket
            .put(self.parked_key(&parked.aggregate), value)
            .await?;
        Ok(())
    }

    pub(super) async fn unpark(&self, aggregate: &str) -> Result<(), BoxError> {
        self.bucket.delete(self.parked_key(aggregate)).await?;
        Ok(())
    }

    /// Asked of the leader: whoever is let go a moment later finds every event stored until now.
    pub(super) async fn is_parked(&self, aggregate: &str) -> Result<bool, BoxError> {
        let stream = &self.bucket.stream;
        let subject = format!("$KV.{BUCKET}.{}", self.parked_key(aggregate));
        match stream.get_last_raw_message_by_subject(&subject).await {
            Ok(last) => Ok(!last.payload.is_empty()),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Every aggregate that is parked or was let go, then each change.
    pub(super) async fn watch(&self) -> Result<Watch, BoxError> {
        let keys = format!("{}.parked.>", self.prefix);
        Ok(self.bucket.watch_with_history(keys).await?)
    }

    /// Every aggregate that is parked now.
    pub(super) async fn parked(&self) -> Result<Vec<Parked>, BoxError> {
        let filter = format!("$KV.{BUCKET}.{}.parked.>", self.prefix);
        let entries = self.reader.read(&filter, 1, usize::MAX).await?;
        let parked = entries.iter().filter(|entry| !entry.payload.is_empty());
        let read = parked.map(|entry| Ok(serde_json::from_slice(&entry.payload)?));
        read.collect()
    }

    /// The aggregate of an entry under [`Progress::watch`], and whether it is parked.
    pub(super) fn read_change(&self, entry: &kv::Entry) -> Option<(String, bool)> {
        let aggregate = entry
            .key
            .strip_prefix(&self.prefix)?
            .strip_prefix(".parked.")?;
        Some((aggregate.to_owned(), entry.operation == Operation::Put))
    }

    fn done_key(&self, aggregate: &str) -> String {
        format!("{}.done.{aggregate}", self.prefix)
    }

    fn parked_key(&self, aggregate: &str) -> String {
        format!("{}.parked.{aggregate}", self.prefix)
    }
}
