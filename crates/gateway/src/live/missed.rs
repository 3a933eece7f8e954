//! What a client missed: everything in a room's timeline between what it has and the live events.

use std::collections::HashSet;

use doran_contract::{
    MessageId, RoomId,
    events::MessageEvent,
    frame::{Incomplete, RESUME_MAX, ServerFrame, Since},
};
use doran_eventstore::{ReadError, Recorded};
use doran_platform::keyring::KeyringError;

use super::{Hub, Hubs, Log, Renderer, Seated, render};

/// Whether a client can be given everything after what it has.
pub(crate) enum Missed {
    Complete(Replay),
    /// Nothing is replayed: the client loads a page and subscribes again.
    Incomplete(Incomplete),
}

/// Events that are readable, in stream order, to be opened one by one.
pub(crate) struct Replay {
    events: std::vec::IntoIter<(Recorded, MessageEvent)>,
    /// What these said is not told any more.
    deleted: HashSet<MessageId>,
    /// The event that the next frame names as the one before it.
    prev: u64,
}

impl Missed {
    pub(crate) async fn read(
        hubs: &Hubs,
        hub: &Hub,
        since: &Since,
        seated: Seated,
    ) -> Result<Self, ReadError> {
        let log = hubs.log();
        if since.epoch != *hubs.epoch() || is_beyond(log, since.seq, seated.head).await? {
            return Ok(Self::Incomplete(Incomplete::Epoch));
        }
        read(log, hub.room(), since.seq, seated.head).await
    }
}

/// A place that the log has not reached yet: it has been set back under the same name.
async fn is_beyond(log: &Log, sequence: u64, head: u64) -> Result<bool, ReadError> {
    Ok(sequence > head && sequence > log.head().await?)
}

async fn read(log: &Log, room: RoomId, after: u64, head: u64) -> Result<Missed, ReadError> {
    let stored = if after < head {
        log.after(room, |_| after, RESUME_MAX + 1).await?
    } else {
        Vec::new()
    };
    let stored: Vec<_> = stored
        .into_iter()
        .filter(|event| event.sequence <= head)
        .collect();
    if stored.len() > RESUME_MAX {
        return Ok(Missed::Incomplete(Incomplete::TooFar));
    }
    let mut events = Vec::with_capacity(stored.len());
    for recorded in stored {
        match render::decode(&recorded) {
            Ok(event) => events.push((recorded, event)),
            Err(error) => {
                tracing::error!(%error, "a resume stops at an event that cannot be read");
                return Ok(Missed::Incomplete(Incomplete::Gap));
            }
        }
    }
    Ok(Missed::Complete(Replay {
        deleted: deleted(&events),
        events: events.into_iter(),
        prev: after,
    }))
}

fn deleted(events: &[(Recorded, MessageEvent)]) -> HashSet<MessageId> {
    let events = events.iter();
    let deleted = events.filter_map(|(_, event)| {
        let MessageEvent::MessageDeleted(deleted) = event else {
            return None;
        };
        Some(deleted.message_id)
    });
    deleted.collect()
}

impl Replay {
    pub(crate) fn nothing() -> Self {
        Self {
            events: Vec::new().into_iter(),
            deleted: HashSet::new(),
            prev: 0,
        }
    }

    /// The next frame; none at the end.
    pub(crate) async fn next(
        &mut self,
        hub: &Hub,
        renderer: &Renderer,
    ) -> Option<Result<ServerFrame, KeyringError>> {
        loop {
            let (recorded, event) = self.events.next()?;
            let opened = match renderer.open(&recorded, event).await {
                Ok(opened) => opened,
                Err(error) => return Some(Err(error)),
            };
            let first = opened
                .sent()
                .and_then(|message| hub.timeline(|timeline| timeline.first_shown(message)));
            if first.is_some_and(|first| first < recorded.sequence) {
                continue;
            }
            let frame = opened.without_text_of(&self.deleted).frame(self.prev);
            self.prev = recorded.sequence;
            if let Some(frame) = frame {
                return Some(Ok(frame));
            }
        }
    }
}
