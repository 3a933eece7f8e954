//! Rooms: what may be done in them, and by whom.

use std::collections::{BTreeSet, HashMap};

use async_nats::jetstream;
use doran_contract::{
    RoomId, Timestamp, UserId,
    events::{ROOM_EVENTS, RoomEvent},
    room::{RoomRole, RoomStatus, Visibility},
    subject::ROOM_STREAM,
};
use doran_eventstore::Recorded;
use doran_projection::memory::{CatchUpError, Fold, FoldError, MemoryModel, Start, StartError};

use crate::{Lifecycle, event_schema};

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(1);

/// One room as authorisation needs to know it.
#[derive(Clone, Debug)]
pub struct RoomEntry {
    pub status: RoomStatus,
    pub visibility: Visibility,
    pub members: HashMap<UserId, Membership>,
    /// Sequence of the room's newest event in `CHATROOM`.
    pub sequence: u64,
}

/// What somebody is in a room, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership {
    pub role: RoomRole,
    pub joined_at: Timestamp,
}

#[derive(Debug, Default)]
struct AllRooms {
    rooms: HashMap<RoomId, RoomEntry>,
    owned: HashMap<UserId, BTreeSet<RoomId>>,
}

impl Fold for AllRooms {
    fn apply(&mut self, event: &Recorded) -> Result<(), FoldError> {
        let (sequence, joined_at) = (event.sequence, event.time.into());
        match event.decode::<RoomEvent>(&event_schema(ROOM_EVENTS))? {
            RoomEvent::ChatRoomCreated(created) => {
                let members = created.members.iter().map(|first| {
                    let role = first.role;
                    (first.user_id, Membership { role, joined_at })
                });
                let entry = RoomEntry {
                    status: RoomStatus::Active,
                    visibility: created.visibility,
                    members: members.collect(),
                    sequence,
                };
                let owned = self.owned.entry(created.owner_id).or_default();
                owned.insert(created.room_id);
                self.rooms.insert(created.room_id, entry);
            }
            RoomEvent::ChatRoomRenamed(renamed) => self.update(renamed.room_id, sequence, |_| ()),
            RoomEvent::ChatRoomDescribed(described) => {
                self.update(described.room_id, sequence, |_| ());
            }
            RoomEvent::MemberJoined(joined) => self.update(joined.room_id, sequence, |room| {
                let role = joined.role;
                room.members
                    .insert(joined.user_id, Membership { role, joined_at });
            }),
            RoomEvent::MemberRemoved(removed) => self.update(removed.room_id, sequence, |room| {
                room.members.remove(&removed.user_id);
            }),
            RoomEvent::RoomRestricted(restricted) => {
                self.stand(restricted.room_id, sequence, RoomStatus::Restricted);
            }
            RoomEvent::RoomDeactivated(deactivated) => {
                self.stand(deactivated.room_id, sequence, RoomStatus::Deactivated);
            }
            RoomEvent::RoomReactivated(reactivated) => {
                self.stand(reactivated.room_id, sequence, RoomStatus::Active);
            }
        }
        Ok(())
    }
}

impl AllRooms {
    fn update(&mut self, room: RoomId, sequence: u64, change: impl FnOnce(&mut RoomEntry)) {
        if let Some(entry) = self.rooms.get_mut(&room) {
            change(entry);
            entry.sequence = sequence;
        }
    }

    fn stand(&mut self, room: RoomId, sequence: u64, status: RoomStatus) {
        self.update(room, sequence, |entry| entry.status = status);
    }
}

/// All rooms, kept fresh by the log. Cheap to clone.
#[derive(Clone)]
pub struct Rooms(MemoryModel<AllRooms>);

impl Rooms {
    pub async fn start(js: &jetstream::Context, lifecycle: &Lifecycle) -> Result<Self, StartError> {
        MemoryModel::start(
            js.clone(),
            ROOM_STREAM,
            &["chatroom.*.*"],
            Start::First,
            AllRooms::default(),
            lifecycle.into(),
        )
        .await
        .map(Self)
    }

    /// Looks at a room as far as this process has read the log.
    pub fn look<R>(&self, room: RoomId, look: impl FnOnce(&RoomEntry) -> R) -> Option<R> {
        self.0.read(|all| all.rooms.get(&room).map(look))
    }

    /// The role of `user` in `room`. Before it says none, it reads the log to its end, so that
    /// somebody who was added a moment ago, by whatever process, is not refused.
    pub async fn role(&self, room: RoomId, user: UserId) -> Option<RoomRole> {
        if let Some(role) = self.known_role(room, user) {
            return Some(role);
        }
        self.catch_up(room).await;
        self.known_role(room, user)
    }

    /// Waits until everything that the log holds of `room` has been read.
    pub async fn catch_up(&self, room: RoomId) {
        if let Err(error) = self
            .0
            .catch_up(&format!("chatroom.{room}.*"), PATIENCE)
            .await
        {
            tracing::warn!(%error, "cannot ask the log about a room");
        }
    }

    /// The rooms that somebody owns: all that the log holds when this is asked.
    pub async fn owned_by(&self, user: UserId) -> Result<Vec<RoomId>, CatchUpError> {
        self.0
            .catch_up("chatroom.*.ChatRoomCreated", PATIENCE)
            .await?;
        let list = |all: &AllRooms| {
            all.owned
                .get(&user)
                .map(|rooms| rooms.iter().copied().collect())
        };
        Ok(self.0.read(list).unwrap_or_default())
    }

    pub fn model(&self) -> &MemoryModel<impl Fold + use<>> {
        &self.0
    }

    fn known_role(&self, room: RoomId, user: UserId) -> Option<RoomRole> {
        self.look(room, |entry| {
            entry.members.get(&user).map(|member| member.role)
        })
        .flatten()
    }
}
