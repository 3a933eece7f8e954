//! Which messages there are already, so that one that is sent again is answered and not stored.
//!
//! Newest first: a bounded memory of this process, JetStream's window of two minutes (in the
//! lane), PostgreSQL. What gets past all of them has the same id, and every reader drops it.

use doran_contract::{MessageId, Timestamp, subject};
use doran_eventstore::{LogReader, ReadError, Recorded, Start};
use doran_platform::{Lifecycle, Platform};
use futures_util::StreamExt;
use moka::sync::Cache;
use sqlx::PgPool;

use super::archive::Archive;

/// Messages that are remembered; at a start the last ones are read from the log.
const REMEMBERED: u64 = 100_000;

/// Where a message lies, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) seq: u64,
    pub(crate) created_at: Timestamp,
}

/// Messages that were stored. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Known {
    recent: Cache<MessageId, Place>,
    archive: Archive,
}

impl Known {
    /// Follows what every chat instance stores, from the last remembered message on.
    pub(crate) async fn start(
        platform: &Platform,
        log: &LogReader,
        pool: PgPool,
    ) -> Result<Self, ReadError> {
        let known = Self {
            recent: Cache::new(REMEMBERED),
            archive: Archive::start(pool, &platform.lifecycle),
        };
        let from = log.head().await?.saturating_sub(REMEMBERED) + 1;
        known.follow(log, from, &platform.lifecycle);
        Ok(known)
    }

    pub(crate) async fn find(&self, id: MessageId) -> Option<Place> {
        match self.recent.get(&id) {
            Some(place) => Some(place),
            None => self.archive.find(id).await,
        }
    }

    /// The first one stays: that is the message, whatever else bears its id.
    pub(crate) fn note(&self, id: MessageId, place: Place) {
        self.recent.entry(id).or_insert(place);
    }

    fn follow(&self, log: &LogReader, from: u64, lifecycle: &Lifecycle) {
        let every = subject::every("MessageSent").into_iter().collect();
        let mut events = log.follow(every, Start::Sequence(from));
        let (known, stopping) = (self.clone(), lifecycle.stopping().clone());
        lifecycle.spawn(async move {
            while let Some(Some(event)) = stopping.run_until_cancelled(events.next()).await {
                match event {
                    Ok(event) => known.take_note(&event),
                    Err(error) => {
                        tracing::error!(%error, "sent messages are not followed any more");
                    }
                }
            }
        });
    }

    /// A message's id is its command's, so nothing has to be opened or parsed.
    fn take_note(&self, event: &Recorded) {
        let place = Place {
            seq: event.sequence,
            created_at: event.time.into(),
        };
        if let Some(id) = event.command_id {
            self.note(MessageId::new(id), place);
        }
    }
}
