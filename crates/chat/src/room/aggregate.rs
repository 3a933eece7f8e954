//! What may happen to a room, decided without clock, randomness or I/O.

use std::collections::BTreeSet;

use cqrs_es::{Aggregate, event_sink::EventSink};
use doran_contract::{
    UserId,
    events::{ChatRoomCreated, FirstMember, ROOM_EVENTS, RoomEvent},
    room::{RoomKind, RoomRole},
    subject::{ROOM, ROOM_STREAM},
};
use doran_eventstore::{EventSourced, Schema};
use doran_platform::event_schema;
use serde::{Deserialize, Serialize};

use super::{
    Command, Creation, Error,
    details::{Details, MAX_DIRECT_MEMBERS, MAX_MEMBERS},
};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) enum Room {
    #[default]
    Unmade,
    Made(Box<Details>),
    /// For ever: the room of a pair is not made again either.
    Deleted,
}

impl Room {
    /// None before the creation and after the deletion.
    pub(crate) fn details(&self) -> Option<&Details> {
        match self {
            Self::Made(details) => Some(details),
            Self::Unmade | Self::Deleted => None,
        }
    }

    fn decide(&self, command: Command) -> Result<Vec<RoomEvent>, Error> {
        match (self, command) {
            (Self::Unmade, Command::Create(creation)) => decide_create(creation),
            (Self::Made(room), command) => decide(room, command),
            (Self::Deleted, Command::FollowOwner { .. } | Command::LetGo { .. }) => Ok(Vec::new()),
            (Self::Unmade | Self::Deleted, _) => Err(Error::NotFound),
        }
    }
}

fn decide(room: &Details, command: Command) -> Result<Vec<RoomEvent>, Error> {
    match command {
        // A room's id follows from the command that made it, or from its pair: it is this one.
        Command::Create(_) => Ok(Vec::new()),
        Command::Change { actor, change } => room.decide_change(actor, change),
        Command::Archive { actor } => room.decide_archive(actor),
        Command::Unarchive { actor } => room.decide_unarchive(actor),
        Command::Delete { actor } => room.decide_delete(actor),
        Command::AddMembers { actor, users, role } => room.decide_add(actor, users, role),
        Command::ChangeRole { actor, user, role } => room.decide_role(actor, user, role),
        Command::RemoveMember { actor, user } => room.decide_remove(actor, user),
        Command::Ban { actor, user } => room.decide_ban(actor, user),
        Command::Unban { actor, user } => room.decide_unban(actor, user),
        Command::Join { actor } => room.decide_join(actor),
        Command::Leave { actor } => room.decide_leave(actor),
        Command::Invite { actor, invitation } => room.decide_invite(actor, invitation),
        Command::AcceptInvite {
            actor,
            invite_key,
            now,
        } => room.decide_accept(actor, invite_key, now),
        Command::LetGo {
            user,
            heir,
            because,
        } => Ok(room.decide_let_go(user, heir, because)),
        Command::FollowOwner { status, because } => Ok(room.decide_follow(status, because)),
    }
}

fn decide_create(creation: Creation) -> Result<Vec<RoomEvent>, Error> {
    let members = first_members(creation.owner_id, creation.members);
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
        bot_id: creation.bot_id,
        members,
    };
    Ok(vec![created.into()])
}

/// The owner first, and nobody twice.
fn first_members(owner_id: UserId, others: Vec<UserId>) -> Vec<FirstMember> {
    let others: BTreeSet<_> = others.into_iter().collect();
    let others = others
        .into_iter()
        .filter(|user| *user != owner_id)
        .map(|user_id| FirstMember {
            user_id,
            role: RoomRole::Member,
        });
    let owner = FirstMember {
        user_id: owner_id,
        role: RoomRole::Owner,
    };
    [owner].into_iter().chain(others).collect()
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
        match (&mut *self, event) {
            (Self::Unmade, RoomEvent::ChatRoomCreated(created)) => {
                *self = Self::Made(Box::new(Details::created(created)));
            }
            (Self::Made(_), RoomEvent::ChatRoomDeleted(_)) => *self = Self::Deleted,
            (Self::Made(room), event) => room.apply(event),
            (Self::Unmade | Self::Deleted, _) => {}
        }
    }
}

impl EventSourced for Room {
    const STREAM: &'static str = ROOM_STREAM;
    const STATE_VERSION: u32 = 4;

    fn schema() -> Schema {
        event_schema(ROOM_EVENTS)
    }

    /// Rooms claim nothing.
    fn taken(_kind: &str) -> Error {
        Error::NotFound
    }
}
