//! What the timelines hold already, so that what is sent again is answered and not stored.
//!
//! Newest first: a bounded memory of this process, JetStream's window of two minutes (in the
//! lane), PostgreSQL, which is not asked for what is new for certain. What gets past all of them
//! changes nothing, and every reader drops it.

use std::time::Duration;

use doran_contract::{
    MessageId, Timestamp,
    events::{MESSAGE_EVENTS, MessageEvent},
    subject,
};
use doran_eventstore::{LogReader, ReadError, Recorded, Start};
use doran_platform::{Lifecycle, Platform, event_schema};
use futures_util::StreamExt;
use moka::{policy::EvictionPolicy, sync::Cache};
use sqlx::{PgPool, types::Uuid};
use tokio::{sync::watch, time::timeout};

use super::{
    archive::{Archive, NoAnswer},
    marks::{Aspect, Mark},
    seen::Seen,
};

/// Events that are remembered; at a start the last ones are read from the log.
const REMEMBERED: u64 = 100_000;
/// How long a question about an unknown message may wait for the log.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where an event lies, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) seq: u64,
    pub(crate) created_at: Timestamp,
}

/// Messages that were stored, and what became of them. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Known {
    /// By command; a message is its own.
    recent: Cache<Uuid, Place>,
    marks: Cache<Aspect, Mark>,
    /// Everything up to this sequence has been taken note of.
    reached: watch::Sender<u64>,
    archive: Archive,
    seen: Seen,
}

impl Known {
    /// Follows what every chat instance stores, from the last remembered event on.
    pub(crate) async fn start(
        platform: &Platform,
        log: &LogReader,
        pool: PgPool,
    ) -> Result<Self, ReadError> {
        let before = log.head().await?.saturating_sub(REMEMBERED);
        let known = Self {
            recent: Cache::new(REMEMBERED),
            // What is newest stays, for [`Known::mark`] relies on it.
            marks: Cache::builder()
                .max_capacity(REMEMBERED)
                .eviction_policy(EvictionPolicy::lru())
                .build(),
            reached: watch::Sender::new(before),
            seen: Seen::start(pool.clone(), before, &platform.lifecycle),
            archive: Archive::start(pool, &platform.lifecycle),
        };
        known.follow(log, before + 1, &platform.lifecycle);
        Ok(known)
    }

    /// Where the message lies; none also where that cannot be learnt in time.
    pub(crate) async fn find(&self, id: MessageId) -> Option<Place> {
        match self.recent.get(&id.as_uuid()) {
            Some(place) => Some(place),
            None if self.seen.is_new(id) => None,
            None => self.archive.find(id).await.ok().flatten(),
        }
    }

    /// As [`Known::find`], but after everything up to `newest`, whoever stored it, was noted.
    pub(crate) async fn locate(
        &self,
        id: MessageId,
        newest: u64,
    ) -> Result<Option<Place>, NoAnswer> {
        if let Some(place) = self.recent.get(&id.as_uuid()) {
            return Ok(Some(place));
        }
        let mut reached = self.reached.subscribe();
        let caught_up = timeout(PATIENCE, reached.wait_for(|reached| *reached >= newest)).await;
        caught_up
            .map_err(|_late| NoAnswer)?
            .map_err(|_gone| NoAnswer)?;
        match self.recent.get(&id.as_uuid()) {
            Some(place) => Ok(Some(place)),
            None => self.archive.find(id).await,
        }
    }

    /// What an earlier execution of the same command stored.
    pub(crate) fn earlier(&self, command_id: Uuid) -> Option<Place> {
        self.recent.get(&command_id)
    }

    /// How an aspect of the message at `seq` stands; none if that is not remembered.
    pub(crate) fn mark(&self, aspect: &Aspect, seq: u64) -> Option<Mark> {
        let is_remembered = seq > self.reached.borrow().saturating_sub(REMEMBERED);
        self.marks
            .get(aspect)
            .or_else(|| is_remembered.then(Mark::never))
    }

    /// The first one stays: that is the message, whatever else bears its id.
    pub(crate) fn note(&self, command_id: Uuid, place: Place) {
        self.seen.note(command_id);
        self.recent.entry(command_id).or_insert(place);
    }

    /// The last one stays.
    pub(crate) fn note_mark(&self, aspect: Aspect, mark: Mark) {
        self.marks
            .entry(aspect)
            .and_upsert_with(|known| match known {
                Some(known) if known.value().seq > mark.seq => known.into_value(),
                Some(_) | None => mark,
            });
    }

    fn follow(&self, log: &LogReader, from: u64, lifecycle: &Lifecycle) {
        let every = MessageEvent::TIMELINE.iter();
        let every = every.filter_map(|event_type| subject::every(event_type));
        let mut events = log.follow(every.collect(), Start::Sequence(from));
        let (known, stopping) = (self.clone(), lifecycle.stopping().clone());
        lifecycle.spawn(async move {
            while let Some(Some(event)) = stopping.run_until_cancelled(events.next()).await {
                match event {
                    Ok(event) => known.take_note(&event),
                    Err(error) => {
                        known.seen.give_up();
                        tracing::error!(%error, "sent messages are not followed any more");
                    }
                }
            }
        });
    }

    /// A message's id is its command's, so it need not be parsed.
    fn take_note(&self, event: &Recorded) {
        if let Some(id) = event.command_id {
            let (seq, created_at) = (event.sequence, event.time.into());
            self.note(id, Place { seq, created_at });
        }
        if event.event_type != "MessageSent" {
            match event.decode::<MessageEvent>(&event_schema(MESSAGE_EVENTS)) {
                Ok(decoded) => {
                    if let Some((aspect, is_on)) = Aspect::of(&decoded) {
                        let seq = event.sequence;
                        self.note_mark(aspect, Mark { is_on, seq });
                    }
                }
                Err(error) => tracing::error!(%error, "a change of a message cannot be read"),
            }
        }
        self.reached.send_replace(event.sequence);
    }
}
