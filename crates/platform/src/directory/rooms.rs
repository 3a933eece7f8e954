//! Rooms: what may be done in them, and by whom.

use std::collections::{BTreeSet, HashMap};

use doran_contract::{
    RoomId, Timestamp, UserId,
    events::{ChatRoomCreated, ROOM_EVENTS, RoomEvent},
    room::{RoomRole, RoomStatus, Visibility},
    subject::ROOM_STREAM,
};
use doran_eventstore::{Logs, Recorded};
use doran_projection::memory::{CatchUpError, Fold, FoldError, MemoryModel, Start, StartError};

use crate::{Lifecycle, event_schema};

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(1);

/// One room as authorisation needs to know it.
#[derive(Clone, Debug)]
pub struct RoomEntry {
    /// What the owner's account makes of the room.
    imposed: RoomStatus,
    is_archived: bool,
    pub visibility: Visibility,
    /// The bot that answers in it.
    pub bot_id: Option<UserId>,
    pub members: HashMap<UserId, Membership>,
    /// Sequence of the room's newest event in `CHATROOM`.
    pub sequence: u64,
}

impl RoomEntry {
    pub fn status(&self) -> RoomStatus {
        self.imposed.or_archived(self.is_archived)
    }
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
    by_member: HashMap<UserId, BTreeSet<RoomId>>,
    /// As they were when they were deleted: their members are told of it.
    deleted: HashMap<RoomId, RoomEntry>,
}

impl Fold for AllRooms {
    fn apply(&mut self, event: &Recorded) -> Result<(), FoldError> {
        let (sequence, time) = (event.sequence, event.time.into());
        match event.decode::<RoomEvent>(&event_schema(ROOM_EVENTS))? {
            RoomEvent::ChatRoomCreated(created) => self.create(&created, sequence, time),
            RoomEvent::ChatRoomDeleted(deleted) => self.delete(deleted.room_id),
            change => {
                if let RoomEvent::MemberRoleChanged(changed) = &change
                    && changed.role == RoomRole::Owner
                {
                    self.pass_on(changed.room_id, changed.user_id);
                }
                self.change(change, sequence, time);
            }
        }
        Ok(())
    }
}

impl AllRooms {
    fn create(&mut self, created: &ChatRoomCreated, sequence: u64, joined_at: Timestamp) {
        let members = created.members.iter().map(|first| {
            let role = first.role;
            (first.user_id, Membership { role, joined_at })
        });
        let entry = RoomEntry {
            imposed: RoomStatus::Active,
            is_archived: false,
            visibility: created.visibility,
            bot_id: created.bot_id,
            members: members.collect(),
            sequence,
        };
        let owned = self.owned.entry(created.owner_id).or_default();
        owned.insert(created.room_id);
        for first in &created.members {
            self.enter(first.user_id, created.room_id);
        }
        self.rooms.insert(created.room_id, entry);
    }

    fn delete(&mut self, id: RoomId) {
        self.disown(id);
        if let Some(room) = self.rooms.remove(&id) {
            for user in room.members.keys() {
                self.leave(*user, id);
            }
            self.deleted.insert(id, room);
        }
    }

    fn change(&mut self, change: RoomEvent, sequence: u64, time: Timestamp) {
        let id = change.room_id();
        let Some(room) = self.rooms.get_mut(&id) else {
            return;
        };
        room.sequence = sequence;
        let comes = match &change {
            RoomEvent::MemberJoined(joined) => Some(joined.user_id),
            _ => None,
        };
        let goes = match &change {
            RoomEvent::MemberRemoved(removed) => Some(removed.user_id),
            RoomEvent::MemberBanned(banned) => Some(banned.user_id),
            _ => None,
        };
        room.change(change, time);
        if let Some(user) = comes {
            self.enter(user, id);
        }
        if let Some(user) = goes {
            self.leave(user, id);
        }
    }

    fn enter(&mut self, user: UserId, room: RoomId) {
        self.by_member.entry(user).or_default().insert(room);
    }

    fn leave(&mut self, user: UserId, room: RoomId) {
        if let Some(rooms) = self.by_member.get_mut(&user) {
            rooms.remove(&room);
            if rooms.is_empty() {
                self.by_member.remove(&user);
            }
        }
    }

    fn of_member(&self, user: UserId) -> Vec<RoomId> {
        let rooms = self.by_member.get(&user).into_iter().flatten();
        rooms.copied().collect()
    }

    fn share_a_room(&self, one: UserId, other: UserId) -> bool {
        let rooms = |user| self.by_member.get(&user);
        match (rooms(one), rooms(other)) {
            (Some(one), Some(other)) => !one.is_disjoint(other),
            (None, _) | (_, None) => false,
        }
    }

    fn pass_on(&mut self, id: RoomId, heir: UserId) {
        if self.rooms.contains_key(&id) {
            self.disown(id);
            self.owned.entry(heir).or_default().insert(id);
        }
    }

    fn disown(&mut self, id: RoomId) {
        let members = self.rooms.get(&id).map(|room| &room.members);
        for (user, member) in members.into_iter().flatten() {
            if member.role == RoomRole::Owner
                && let Some(owned) = self.owned.get_mut(user)
            {
                owned.remove(&id);
            }
        }
    }
}

impl RoomEntry {
    fn change(&mut self, event: RoomEvent, time: Timestamp) {
        match event {
            RoomEvent::ChatRoomCreated(_)
            | RoomEvent::ChatRoomDeleted(_)
            | RoomEvent::ChatRoomRenamed(_)
            | RoomEvent::ChatRoomDescribed(_)
            | RoomEvent::ChatRoomSettingsChanged(_)
            | RoomEvent::MemberUnbanned(_)
            | RoomEvent::InviteCreated(_) => {}
            RoomEvent::ChatRoomVisibilityChanged(changed) => self.visibility = changed.visibility,
            RoomEvent::ChatRoomArchived(_) => self.is_archived = true,
            RoomEvent::ChatRoomUnarchived(_) => self.is_archived = false,
            RoomEvent::MemberJoined(joined) => {
                let membership = Membership {
                    role: joined.role,
                    joined_at: time,
                };
                self.members.insert(joined.user_id, membership);
            }
            RoomEvent::MemberRemoved(removed) => {
                self.members.remove(&removed.user_id);
            }
            RoomEvent::MemberBanned(banned) => {
                self.members.remove(&banned.user_id);
            }
            RoomEvent::MemberRoleChanged(changed) => {
                if let Some(member) = self.members.get_mut(&changed.user_id) {
                    member.role = changed.role;
                }
            }
            RoomEvent::RoomRestricted(_) => self.imposed = RoomStatus::Restricted,
            RoomEvent::RoomDeactivated(_) => self.imposed = RoomStatus::Deactivated,
            RoomEvent::RoomReactivated(_) => self.imposed = RoomStatus::Active,
        }
    }
}

/// All rooms, kept fresh by the log. Cheap to clone.
#[derive(Clone)]
pub struct Rooms(MemoryModel<AllRooms>);

impl Rooms {
    pub async fn start(logs: &Logs, lifecycle: &Lifecycle) -> Result<Self, StartError> {
        MemoryModel::start(
            logs.clone(),
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

    /// Looks at a room that was deleted, as it was before.
    pub fn look_at_deleted<R>(
        &self,
        room: RoomId,
        look: impl FnOnce(&RoomEntry) -> R,
    ) -> Option<R> {
        self.0.read(|all| all.deleted.get(&room).map(look))
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

    /// Who owns the room, as the log has it when this is asked.
    pub async fn owner(&self, room: RoomId) -> Option<UserId> {
        self.catch_up(room).await;
        let owner = |entry: &RoomEntry| {
            let mut members = entry.members.iter();
            members
                .find(|(_, member)| member.role == RoomRole::Owner)
                .map(|(user, _)| *user)
        };
        self.look(room, owner).flatten()
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
        for event_type in ["ChatRoomCreated", "MemberRoleChanged"] {
            let filter = format!("chatroom.*.{event_type}");
            self.0.catch_up(&filter, PATIENCE).await?;
        }
        let list = |all: &AllRooms| {
            all.owned
                .get(&user)
                .map(|rooms| rooms.iter().copied().collect())
        };
        Ok(self.0.read(list).unwrap_or_default())
    }

    /// The rooms that somebody is in: all that the log holds when this is asked.
    pub async fn with_member(&self, user: UserId) -> Result<Vec<RoomId>, CatchUpError> {
        self.0.catch_up("chatroom.*.*", PATIENCE).await?;
        Ok(self.of_member(user))
    }

    /// The rooms that somebody is in, as far as this process has read the log.
    pub fn of_member(&self, user: UserId) -> Vec<RoomId> {
        self.0.read(|all| all.of_member(user))
    }

    /// Those with whom somebody is in a room, as far as this process has read the log.
    pub fn acquainted(&self, user: UserId, others: &[UserId]) -> Vec<UserId> {
        let shared = |all: &AllRooms| {
            let others = others.iter().copied();
            others
                .filter(|other| all.share_a_room(user, *other))
                .collect()
        };
        self.0.read(shared)
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
