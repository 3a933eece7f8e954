//! What may happen to somebody's bookmarks, decided without clock, randomness or I/O.

use std::collections::BTreeSet;

use cqrs_es::{Aggregate, event_sink::EventSink};
use doran_contract::{
    BookmarkId, UserId,
    events::{BOOKMARK_EVENTS, BookmarkEvent, BookmarkRemoved, BookmarkSaved},
    subject::{BOOKMARK, STORE_STREAM},
};
use doran_eventstore::{EventSourced, Schema};
use doran_platform::event_schema;
use serde::{Deserialize, Serialize};

use super::Error;

/// What one person may keep, so that their bookmarks stay quick to load.
pub(super) const MAX_BOOKMARKS: usize = 10_000;
/// Bookmarks that one command removes at most: its events are one atomic batch.
const MOST_REMOVED: usize = 500;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bookmarks {
    owner: Option<UserId>,
    kept: BTreeSet<BookmarkId>,
}

#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// With a note, also of what is kept already: it gets this one.
    Save(Box<BookmarkSaved>),
    /// Those that are there of these.
    Remove(Vec<BookmarkId>),
    /// As many as one command removes.
    RemoveSome,
}

impl Bookmarks {
    pub(crate) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    fn decide(&self, command: Command) -> Result<Vec<BookmarkEvent>, Error> {
        match command {
            Command::Save(saved) => self.decide_save(*saved),
            Command::Remove(ids) => self.decide_remove(ids),
            Command::RemoveSome => Ok(self.removed(self.kept.iter().copied())),
        }
    }

    fn decide_save(&self, saved: BookmarkSaved) -> Result<Vec<BookmarkEvent>, Error> {
        let is_kept = self.kept.contains(&saved.bookmark_id);
        if is_kept && saved.note.is_none() {
            return Ok(Vec::new());
        }
        if !is_kept && self.kept.len() >= MAX_BOOKMARKS {
            return Err(Error::Full);
        }
        Ok(vec![saved.into()])
    }

    fn decide_remove(&self, ids: Vec<BookmarkId>) -> Result<Vec<BookmarkEvent>, Error> {
        let ids: BTreeSet<_> = ids.into_iter().collect();
        let removed = self.removed(self.kept.intersection(&ids).copied());
        if removed.is_empty() {
            return Err(Error::NotFound);
        }
        Ok(removed)
    }

    fn removed(&self, ids: impl Iterator<Item = BookmarkId>) -> Vec<BookmarkEvent> {
        let Some(user_id) = self.owner else {
            return Vec::new();
        };
        let removed = ids.take(MOST_REMOVED).map(|bookmark_id| {
            let removed = BookmarkRemoved {
                bookmark_id,
                user_id,
            };
            removed.into()
        });
        removed.collect()
    }
}

impl Aggregate for Bookmarks {
    const TYPE: &'static str = BOOKMARK;
    type Command = Command;
    type Event = BookmarkEvent;
    type Error = Error;
    type Services = ();

    async fn handle(
        &mut self,
        command: Command,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), Error> {
        for event in self.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: BookmarkEvent) {
        match event {
            BookmarkEvent::BookmarkSaved(saved) => {
                self.owner = Some(saved.user_id);
                self.kept.insert(saved.bookmark_id);
            }
            BookmarkEvent::BookmarkRemoved(removed) => {
                self.kept.remove(&removed.bookmark_id);
            }
        }
    }
}

impl EventSourced for Bookmarks {
    const STREAM: &'static str = STORE_STREAM;
    const STATE_VERSION: u32 = 1;

    fn schema() -> Schema {
        event_schema(BOOKMARK_EVENTS)
    }

    /// Bookmarks claim nothing.
    fn taken(_kind: &str) -> Error {
        Error::NotFound
    }
}
