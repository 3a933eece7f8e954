//! What the gateway reads from the log itself: rooms' timelines, to fill what did not come live.

use async_nats::jetstream;
use doran_contract::{
    RoomId,
    events::MessageEvent,
    subject::{self, MESSAGE_STREAM, ROOM_STREAM},
};
use doran_eventstore::{LogReader, ReadError, Recorded};
use futures_util::future::try_join_all;

/// Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    messages: LogReader,
    rooms: LogReader,
}

/// Newest sequence of each timeline event type that a room has.
pub(super) type Heads = Vec<(&'static str, u64)>;

impl Log {
    pub(crate) fn new(js: jetstream::Context) -> Self {
        Self {
            messages: LogReader::new(js.clone(), MESSAGE_STREAM),
            rooms: LogReader::new(js, ROOM_STREAM),
        }
    }

    /// Up to `max` timeline events of a room, each type after its own sequence, in stream order.
    ///
    /// Each type is read by itself: read markers, which are many, are not gone through.
    pub(super) async fn after(
        &self,
        room: RoomId,
        sequence: impl Fn(&str) -> u64,
        max: usize,
    ) -> Result<Vec<Recorded>, ReadError> {
        let reads = MessageEvent::TIMELINE.iter().map(|event_type| {
            let from = sequence(event_type) + 1;
            async move {
                let filter = subject::message(room, event_type);
                self.messages.read(&filter, from, max).await
            }
        });
        let mut events = try_join_all(reads).await?.concat();
        events.sort_unstable_by_key(|event| event.sequence);
        events.truncate(max);
        Ok(events)
    }

    pub(super) async fn heads(&self, room: RoomId) -> Result<Heads, ReadError> {
        let every = subject::message(room, "*");
        let newest = self.messages.last_per_subject(&every).await?;
        let head = |event: &Recorded| {
            let mut types = MessageEvent::TIMELINE.iter();
            let event_type = types.find(|event_type| **event_type == event.event_type)?;
            Some((*event_type, event.sequence))
        };
        Ok(newest.iter().filter_map(head).collect())
    }

    /// As [`Log::heads`], never stale, and dearer.
    pub(super) async fn heads_from_leader(&self, room: RoomId) -> Result<Heads, ReadError> {
        let mut heads = Vec::new();
        for event_type in MessageEvent::TIMELINE {
            let filter = subject::message(room, event_type);
            let last = self.messages.last_from_leader(&filter).await?;
            heads.extend(last.map(|event| (*event_type, event.sequence)));
        }
        Ok(heads)
    }

    /// The newest sequence of all rooms together.
    pub(super) async fn head(&self) -> Result<u64, ReadError> {
        self.messages.head().await
    }

    pub(super) async fn incarnation(&self) -> Result<Option<String>, ReadError> {
        self.messages.incarnation().await
    }

    /// The newest event of each type that a room's own history has.
    pub(super) async fn newest_of_room(&self, room: RoomId) -> Result<Vec<Recorded>, ReadError> {
        self.rooms.last_per_subject(&subject::room(room, "*")).await
    }

    /// Everybody's joining of a room that had not begun it, and every change of a role.
    pub(super) async fn memberships(&self, room: RoomId) -> Result<Vec<Recorded>, ReadError> {
        const MOST: usize = 10_000;
        let mut events = Vec::new();
        for event_type in ["MemberJoined", "MemberRoleChanged"] {
            let filter = subject::room(room, event_type);
            events.extend(self.rooms.read(&filter, 1, MOST).await?);
        }
        events.sort_unstable_by_key(|event| event.sequence);
        Ok(events)
    }
}
