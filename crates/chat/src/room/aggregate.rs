//! What may happen to a room, decided without clock, randomness or I/O.

use std::collections::{BTreeMap, BTreeSet};

use cqrs_es::{Aggregate, event_sink::EventSink};
use doran_contract::{
    RoomId, UserId,
    events::{
        ChatRoomCreated, ChatRoomDescribed, ChatRoomRenamed, FirstMember, MemberJoined,
        MemberRemoved, OwnerChange, ROOM_EVENTS, RoomDeactivated, RoomEvent, RoomReactivated,
        RoomRestricted,
    },
    room::{RoomKind, RoomRole, RoomStatus, Visibility},
    subject::{ROOM, ROOM_STREAM},
    user::UserStatus,
};
use doran_eventstore::{EventSourced, Schema};
use doran_platform::event_schema;
use serde::{Deserialize, Serialize};

use super::Error;

const MAX_MEMBERS: usize = 10_000;
const MAX_DIRECT_MEMBERS: usize = 2;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Room {
    /// None before the creation.
    details: Option<Details>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Details {
    pub(crate) id: RoomId,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) kind: RoomKind,
    pub(crate) visibility: Visibility,
    pub(crate) owner_id: UserId,
    pub(crate) members: BTreeMap<UserId, RoomRole>,
    imposed: Option<Imposed>,
    /// The newest change of the owner's account that the room followed.
    followed: Option<OwnerChange>,
}

/// What the owner's account does to the room. Kept apart from what the owner decides about it, so
/// that it can be taken back and nothing else with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Imposed {
    Restriction,
    Deactivation,
}

/// What somebody wants of a room. Each names who wants it.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    Create(Creation),
    Change {
        actor: UserId,
        change: Change,
    },
    AddMembers {
        actor: UserId,
        users: Vec<UserId>,
        role: RoomRole,
    },
    RemoveMember {
        actor: UserId,
        user: UserId,
    },
    Join {
        actor: UserId,
    },
    Leave {
        actor: UserId,
    },
    /// The owner's account has this status now.
    FollowOwner {
        status: UserStatus,
        because: OwnerChange,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Creation {
    pub(crate) room_id: RoomId,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) kind: RoomKind,
    pub(crate) visibility: Visibility,
    pub(crate) owner_id: UserId,
    /// Who is in it from the start beside the owner.
    pub(crate) members: Vec<UserId>,
}

/// What is none stays as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    pub(crate) name: Option<String>,
    #[expect(clippy::option_option, reason = "unchanged, taken away, or a text")]
    pub(crate) description: Option<Option<String>>,
}

impl Room {
    /// None before the creation.
    pub(crate) fn details(&self) -> Option<&Details> {
        self.details.as_ref()
    }

    fn decide(&self, command: Command) -> Result<Vec<RoomEvent>, Error> {
        let Some(room) = &self.details else {
            return match command {
                Command::Create(creation) => decide_create(creation),
                Command::Change { .. }
                | Command::AddMembers { .. }
                | Command::RemoveMember { .. }
                | Command::Join { .. }
                | Command::Leave { .. }
                | Command::FollowOwner { .. } => Err(Error::NotFound),
            };
        };
        match command {
            // A room's id follows from the command that made it: this is the same one again.
            Command::Create(_) => Ok(Vec::new()),
            Command::Change { actor, change } => room.decide_change(actor, change),
            Command::AddMembers { actor, users, role } => room.decide_add(actor, users, role),
            Command::RemoveMember { actor, user } => room.decide_remove(actor, user),
            Command::Join { actor } => room.decide_join(actor),
            Command::Leave { actor } => room.decide_leave(actor),
            Command::FollowOwner { status, because } => Ok(room.decide_follow(status, because)),
        }
    }
}

fn decide_create(creation: Creation) -> Result<Vec<RoomEvent>, Error> {
    let others: BTreeSet<_> = creation.members.into_iter().collect();
    let others = others
        .into_iter()
        .filter(|user| *user != creation.owner_id)
        .map(|user_id| FirstMember {
            user_id,
            role: RoomRole::Member,
        });
    let owner = FirstMember {
        user_id: creation.owner_id,
        role: RoomRole::Owner,
    };
    let members: Vec<_> = [owner].into_iter().chain(others).collect();
    if creation.kind == RoomKind::Direct && members.len() != MAX_DIRECT_MEMBERS {
        return Err(Error::DirectIsForTwo);
    }
    if members.len() > MAX_MEMBERS {
        return Err(Error::Full);
    }
    let created = ChatRoomCreated {
        room_id: creation.room_id,
        name: creation.name,
        description: creation.description,
        kind: creation.kind,
        visibility: creation.visibility,
        owner_id: creation.owner_id,
        members,
    };
    Ok(vec![created.into()])
}

impl Details {
    pub(crate) fn status(&self) -> RoomStatus {
        match self.imposed {
            None => RoomStatus::Active,
            Some(Imposed::Restriction) => RoomStatus::Restricted,
            Some(Imposed::Deactivation) => RoomStatus::Deactivated,
        }
    }

    fn decide_change(&self, actor: UserId, change: Change) -> Result<Vec<RoomEvent>, Error> {
        self.require_admin(actor)?;
        self.require_active()?;
        let room_id = self.id;
        let renamed = change
            .name
            .filter(|name| *name != self.name)
            .map(|name| ChatRoomRenamed { room_id, name }.into());
        let described = change
            .description
            .filter(|description| *description != self.description)
            .map(|description| {
                ChatRoomDescribed {
                    room_id,
                    description,
                }
                .into()
            });
        Ok(renamed.into_iter().chain(described).collect())
    }

    fn decide_add(
        &self,
        actor: UserId,
        users: Vec<UserId>,
        role: RoomRole,
    ) -> Result<Vec<RoomEvent>, Error> {
        let may = self.require_admin(actor)?;
        self.require_active()?;
        if role > RoomRole::Member && may < RoomRole::Owner {
            return Err(Error::NotTheOwner);
        }
        let newcomers: BTreeSet<_> = users
            .into_iter()
            .filter(|user| !self.members.contains_key(user))
            .collect();
        self.require_room_for(newcomers.len())?;
        let joined = newcomers.into_iter().map(|user_id| {
            let added_by = Some(actor);
            self.joined(user_id, role, added_by)
        });
        Ok(joined.collect())
    }

    fn decide_remove(&self, actor: UserId, user: UserId) -> Result<Vec<RoomEvent>, Error> {
        if actor == user {
            return self.decide_leave(actor);
        }
        self.require_admin(actor)?;
        self.require_active()?;
        match self.members.get(&user) {
            None => Err(Error::NoSuchMember),
            Some(RoomRole::Owner) => Err(Error::OwnerStays),
            Some(RoomRole::Admin | RoomRole::Member) => Ok(vec![self.removed(user, Some(actor))]),
        }
    }

    fn decide_join(&self, actor: UserId) -> Result<Vec<RoomEvent>, Error> {
        if self.members.contains_key(&actor) {
            return Ok(Vec::new());
        }
        if self.visibility == Visibility::Private {
            return Err(Error::Private);
        }
        self.require_active()?;
        self.require_room_for(1)?;
        Ok(vec![self.joined(actor, RoomRole::Member, None)])
    }

    fn decide_leave(&self, actor: UserId) -> Result<Vec<RoomEvent>, Error> {
        match self.require_member(actor)? {
            RoomRole::Owner => Err(Error::OwnerCannotLeave),
            RoomRole::Admin | RoomRole::Member => Ok(vec![self.removed(actor, None)]),
        }
    }

    /// A change that is older than the one the room followed says nothing any more.
    fn decide_follow(&self, status: UserStatus, because: OwnerChange) -> Vec<RoomEvent> {
        let is_stale = |followed: OwnerChange| because.sequence <= followed.sequence;
        if because.user_id != self.owner_id || self.followed.is_some_and(is_stale) {
            return Vec::new();
        }
        let room_id = self.id;
        match (status, self.imposed) {
            (UserStatus::Active, None)
            | (UserStatus::Inactive, Some(Imposed::Restriction))
            | (UserStatus::Suspended, Some(Imposed::Deactivation)) => Vec::new(),
            (UserStatus::Active, Some(_)) => vec![RoomReactivated { room_id, because }.into()],
            (UserStatus::Inactive, _) => vec![RoomRestricted { room_id, because }.into()],
            (UserStatus::Suspended, _) => vec![RoomDeactivated { room_id, because }.into()],
        }
    }

    fn impose(&mut self, imposed: Option<Imposed>, because: OwnerChange) {
        self.imposed = imposed;
        self.followed = Some(because);
    }

    fn require_active(&self) -> Result<(), Error> {
        match self.status() {
            RoomStatus::Active => Ok(()),
            RoomStatus::Restricted | RoomStatus::Deactivated | RoomStatus::Archived => {
                Err(Error::Inactive)
            }
        }
    }

    fn require_member(&self, user: UserId) -> Result<RoomRole, Error> {
        self.members.get(&user).copied().ok_or(Error::NotAMember)
    }

    fn require_admin(&self, user: UserId) -> Result<RoomRole, Error> {
        match self.require_member(user)? {
            RoomRole::Member => Err(Error::NotAnAdmin),
            role @ (RoomRole::Admin | RoomRole::Owner) => Ok(role),
        }
    }

    fn require_room_for(&self, newcomers: usize) -> Result<(), Error> {
        let capacity = match self.kind {
            RoomKind::Direct => MAX_DIRECT_MEMBERS,
            RoomKind::Group | RoomKind::Bot => MAX_MEMBERS,
        };
        if newcomers > 0 && self.members.len() + newcomers > capacity {
            return Err(Error::Full);
        }
        Ok(())
    }

    fn joined(&self, user_id: UserId, role: RoomRole, added_by: Option<UserId>) -> RoomEvent {
        let joined = MemberJoined {
            room_id: self.id,
            user_id,
            role,
            added_by,
        };
        joined.into()
    }

    fn removed(&self, user_id: UserId, removed_by: Option<UserId>) -> RoomEvent {
        let removed = MemberRemoved {
            room_id: self.id,
            user_id,
            removed_by,
        };
        removed.into()
    }

    fn created(event: ChatRoomCreated) -> Self {
        let members = event.members.iter();
        Self {
            members: members.map(|first| (first.user_id, first.role)).collect(),
            id: event.room_id,
            name: event.name,
            description: event.description,
            kind: event.kind,
            visibility: event.visibility,
            owner_id: event.owner_id,
            imposed: None,
            followed: None,
        }
    }

    fn changed(&mut self, event: RoomEvent) {
        match event {
            RoomEvent::ChatRoomCreated(_) => {}
            RoomEvent::ChatRoomRenamed(renamed) => self.name = renamed.name,
            RoomEvent::ChatRoomDescribed(described) => self.description = described.description,
            RoomEvent::MemberJoined(joined) => {
                self.members.insert(joined.user_id, joined.role);
            }
            RoomEvent::MemberRemoved(removed) => {
                self.members.remove(&removed.user_id);
            }
            RoomEvent::RoomRestricted(restricted) => {
                self.impose(Some(Imposed::Restriction), restricted.because);
            }
            RoomEvent::RoomDeactivated(deactivated) => {
                self.impose(Some(Imposed::Deactivation), deactivated.because);
            }
            RoomEvent::RoomReactivated(reactivated) => self.impose(None, reactivated.because),
        }
    }
}

impl Aggregate for Room {
    const TYPE: &'static str = ROOM;
    type Command = Command;
    type Event = RoomEvent;
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

    fn apply(&mut self, event: RoomEvent) {
        match (&mut self.details, event) {
            (details @ None, RoomEvent::ChatRoomCreated(created)) => {
                *details = Some(Details::created(created));
            }
            (Some(room), event) => room.changed(event),
            (None, _) => {}
        }
    }
}

impl EventSourced for Room {
    const STREAM: &'static str = ROOM_STREAM;
    const STATE_VERSION: u32 = 2;

    fn schema() -> Schema {
        event_schema(ROOM_EVENTS)
    }

    /// Rooms claim nothing.
    fn taken(_kind: &str) -> Error {
        Error::NotFound
    }
}
