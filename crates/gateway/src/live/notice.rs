//! Changes of rooms and memberships, told to every socket of the members concerned, subscribed or
//! not. They come from the rooms in memory, which miss nothing, after those have taken them in.

use std::collections::BTreeMap;

use doran_contract::{
    RoomId, UserId,
    events::{ChatRoomCreated, MemberJoined, MemberRoleChanged, ROOM_EVENTS, RoomEvent},
    frame::{MemberChange, RoomChange, ServerFrame},
    room::{Member, PresenceState, Room, RoomRole},
};
use doran_eventstore::{DecodeError, ReadError, Recorded};
use doran_platform::{directory::RoomEntry, event_schema, profile::ProfileError};
use tokio::sync::broadcast::error::RecvError;

use super::Broadcast;
use crate::gateway::Gateway;

#[derive(Debug, thiserror::Error)]
enum NoticeError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error(transparent)]
    Profile(#[from] ProfileError),
}

/// Tells of every change from now on, until the process stops.
pub(crate) async fn follow_rooms(gateway: Gateway) {
    let mut changes = gateway.rooms.model().subscribe();
    let stopping = gateway.platform.lifecycle.stopping().clone();
    while let Some(change) = stopping.run_until_cancelled(changes.recv()).await {
        match change {
            Ok(recorded) => {
                if let Err(error) = tell(&gateway, &recorded).await {
                    tracing::warn!(%error, "a change of a room could not be told");
                }
            }
            // A page that was not told finds out when it asks again.
            Err(RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "changes of rooms come faster than they can be told");
            }
            Err(RecvError::Closed) => return,
        }
    }
}

async fn tell(gateway: &Gateway, recorded: &Recorded) -> Result<(), NoticeError> {
    let event = recorded.decode::<RoomEvent>(&event_schema(ROOM_EVENTS))?;
    let room = event.room_id();
    let change = match event {
        RoomEvent::ChatRoomCreated(_) => RoomChange::Created,
        RoomEvent::ChatRoomRenamed(_) => RoomChange::Renamed,
        RoomEvent::ChatRoomDescribed(_) => RoomChange::Described,
        RoomEvent::ChatRoomVisibilityChanged(_) => RoomChange::Visibility,
        RoomEvent::ChatRoomSettingsChanged(_) => RoomChange::Settings,
        RoomEvent::ChatRoomArchived(_) => RoomChange::Archived,
        RoomEvent::ChatRoomUnarchived(_) => RoomChange::Unarchived,
        RoomEvent::ChatRoomDeleted(_) => RoomChange::Deleted,
        RoomEvent::RoomRestricted(_) => RoomChange::Restricted,
        RoomEvent::RoomDeactivated(_) => RoomChange::Deactivated,
        RoomEvent::RoomReactivated(_) => RoomChange::Reactivated,
        RoomEvent::MemberJoined(joined) => {
            return tell_of_joining(gateway, recorded, joined).await;
        }
        RoomEvent::MemberRemoved(removed) => {
            let change = match removed.removed_by {
                Some(by) if by != removed.user_id => MemberChange::Removed,
                Some(_) | None => MemberChange::Left,
            };
            return tell_of_removal(gateway, room, removed.user_id, change).await;
        }
        RoomEvent::MemberBanned(banned) => {
            return tell_of_removal(gateway, room, banned.user_id, MemberChange::Banned).await;
        }
        RoomEvent::MemberRoleChanged(changed) => return tell_of_role(gateway, changed).await,
        // Only those who decide about it need to know.
        RoomEvent::MemberUnbanned(_) | RoomEvent::InviteCreated(_) => return Ok(()),
    };
    tell_of_room(gateway, room, change).await
}

async fn tell_of_room(
    gateway: &Gateway,
    room: RoomId,
    change: RoomChange,
) -> Result<(), NoticeError> {
    let members = concerned(gateway, room);
    if members.is_empty() {
        return Ok(());
    }
    let Some(seen) = read_room(gateway, room).await? else {
        return Ok(());
    };
    // Members of one role see the same room.
    let mut frames: BTreeMap<RoomRole, Broadcast> = BTreeMap::new();
    for (user, role) in members {
        let frame = frames.entry(role).or_insert_with(|| {
            Broadcast::new(ServerFrame::Room {
                room_id: room,
                change,
                room: Box::new(Room {
                    role: Some(role),
                    ..seen.clone()
                }),
            })
        });
        gateway.sockets.tell(user, frame);
    }
    Ok(())
}

async fn tell_of_joining(
    gateway: &Gateway,
    recorded: &Recorded,
    joined: MemberJoined,
) -> Result<(), NoticeError> {
    let membership = Membership {
        user: joined.user_id,
        role: joined.role,
        joined_at: recorded.time.into(),
    };
    let told = concerned(gateway, joined.room_id);
    tell_of_member(
        gateway,
        joined.room_id,
        MemberChange::Joined,
        membership,
        told,
    )
    .await
}

async fn tell_of_role(gateway: &Gateway, changed: MemberRoleChanged) -> Result<(), NoticeError> {
    let (room, user) = (changed.room_id, changed.user_id);
    let joined_at = |entry: &RoomEntry| entry.members.get(&user).map(|member| member.joined_at);
    let Some(joined_at) = gateway.rooms.look(room, joined_at).flatten() else {
        return Ok(());
    };
    let membership = Membership {
        user,
        role: changed.role,
        joined_at,
    };
    let told = concerned(gateway, room);
    tell_of_member(gateway, room, MemberChange::Role, membership, told).await
}

async fn tell_of_removal(
    gateway: &Gateway,
    room: RoomId,
    user: UserId,
    change: MemberChange,
) -> Result<(), NoticeError> {
    let mut told = concerned(gateway, room);
    if gateway.sockets.has(user) {
        told.push((user, RoomRole::Member));
    }
    if told.is_empty() {
        return Ok(());
    }
    let Some(membership) = past_membership(gateway, room, user).await? else {
        return Ok(());
    };
    tell_of_member(gateway, room, change, membership, told).await
}

struct Membership {
    user: UserId,
    role: RoomRole,
    joined_at: doran_contract::Timestamp,
}

async fn tell_of_member(
    gateway: &Gateway,
    room: RoomId,
    change: MemberChange,
    membership: Membership,
    told: Vec<(UserId, RoomRole)>,
) -> Result<(), NoticeError> {
    if told.is_empty() {
        return Ok(());
    }
    let Some(profile) = gateway.platform.profiles.find(membership.user).await? else {
        return Ok(());
    };
    let presences = gateway.presences.look(&[membership.user]).await;
    let presence = presences
        .first()
        .map_or(PresenceState::Unknown, |presence| presence.state);
    let frame = Broadcast::new(ServerFrame::Member {
        room_id: room,
        change,
        member: Member {
            user_id: membership.user,
            name: profile.user.name.clone(),
            picture: profile.user.picture.clone(),
            role: membership.role,
            joined_at: membership.joined_at,
            presence,
        },
    });
    for (user, _) in told {
        gateway.sockets.tell(user, &frame);
    }
    Ok(())
}

/// Members of a room who have sockets here, and their roles.
pub(super) fn concerned(gateway: &Gateway, room: RoomId) -> Vec<(UserId, RoomRole)> {
    let with_sockets = |entry: &RoomEntry| {
        let members = entry
            .members
            .iter()
            .map(|(user, member)| (*user, member.role));
        members
            .filter(|(user, _)| gateway.sockets.has(*user))
            .collect()
    };
    let rooms = &gateway.rooms;
    let members = rooms.look(room, with_sockets);
    members
        .or_else(|| rooms.look_at_deleted(room, with_sockets))
        .unwrap_or_default()
}

/// The room from the newest event of each type, without what only its reader knows.
async fn read_room(gateway: &Gateway, room: RoomId) -> Result<Option<Room>, NoticeError> {
    let mut created = None;
    let (mut name, mut description) = (None, None);
    let (mut visibility, mut settings) = (None, None);
    let mut updated_at = None;
    for recorded in gateway.hubs.log().newest_of_room(room).await? {
        updated_at = updated_at.max(Some(recorded.time));
        match recorded.decode::<RoomEvent>(&event_schema(ROOM_EVENTS))? {
            RoomEvent::ChatRoomCreated(event) => created = Some((event, recorded.time)),
            RoomEvent::ChatRoomRenamed(event) => name = Some(event.name),
            RoomEvent::ChatRoomDescribed(event) => description = Some(event.description),
            RoomEvent::ChatRoomVisibilityChanged(event) => visibility = Some(event.visibility),
            RoomEvent::ChatRoomSettingsChanged(event) => settings = Some(event.settings),
            RoomEvent::ChatRoomArchived(_)
            | RoomEvent::ChatRoomUnarchived(_)
            | RoomEvent::ChatRoomDeleted(_)
            | RoomEvent::MemberJoined(_)
            | RoomEvent::MemberRemoved(_)
            | RoomEvent::MemberRoleChanged(_)
            | RoomEvent::MemberBanned(_)
            | RoomEvent::MemberUnbanned(_)
            | RoomEvent::InviteCreated(_)
            | RoomEvent::RoomRestricted(_)
            | RoomEvent::RoomDeactivated(_)
            | RoomEvent::RoomReactivated(_) => {}
        }
    }
    let Some((created, created_at)) = created else {
        return Ok(None);
    };
    let seen = |entry: &RoomEntry| (entry.status(), entry.members.len());
    let now = gateway.rooms.look(room, seen);
    let now = now.or_else(|| gateway.rooms.look_at_deleted(room, seen));
    let Some((status, member_count)) = now else {
        return Ok(None);
    };
    Ok(Some(Room {
        id: room,
        name: name.unwrap_or(created.name),
        description: description.unwrap_or(created.description),
        kind: created.kind,
        visibility: visibility.unwrap_or(created.visibility),
        owner_id: created.owner_id,
        bot_id: created.bot_id,
        settings: settings.unwrap_or_default(),
        member_count: u32::try_from(member_count).unwrap_or(u32::MAX),
        role: None,
        status,
        last_message: None,
        last_message_at: None,
        unread_count: 0,
        mention_count: 0,
        created_at: created_at.into(),
        updated_at: updated_at.unwrap_or(created_at).into(),
    }))
}

/// As what and since when somebody was a member who is not one any more.
async fn past_membership(
    gateway: &Gateway,
    room: RoomId,
    user: UserId,
) -> Result<Option<Membership>, NoticeError> {
    let log = gateway.hubs.log();
    let mut known: Option<Membership> = None;
    let events = log
        .newest_of_room(room)
        .await?
        .into_iter()
        .filter(|recorded| recorded.event_type == "ChatRoomCreated")
        .chain(log.memberships(room).await?);
    for recorded in events {
        let joined = match recorded.decode::<RoomEvent>(&event_schema(ROOM_EVENTS))? {
            RoomEvent::ChatRoomCreated(created) => first_role(&created, user),
            RoomEvent::MemberJoined(joined) if joined.user_id == user => Some(joined.role),
            RoomEvent::MemberRoleChanged(changed) if changed.user_id == user => {
                if let Some(known) = &mut known {
                    known.role = changed.role;
                }
                None
            }
            RoomEvent::MemberJoined(_)
            | RoomEvent::MemberRoleChanged(_)
            | RoomEvent::ChatRoomRenamed(_)
            | RoomEvent::ChatRoomDescribed(_)
            | RoomEvent::ChatRoomVisibilityChanged(_)
            | RoomEvent::ChatRoomSettingsChanged(_)
            | RoomEvent::ChatRoomArchived(_)
            | RoomEvent::ChatRoomUnarchived(_)
            | RoomEvent::ChatRoomDeleted(_)
            | RoomEvent::MemberRemoved(_)
            | RoomEvent::MemberBanned(_)
            | RoomEvent::MemberUnbanned(_)
            | RoomEvent::InviteCreated(_)
            | RoomEvent::RoomRestricted(_)
            | RoomEvent::RoomDeactivated(_)
            | RoomEvent::RoomReactivated(_) => None,
        };
        if let Some(role) = joined {
            let joined_at = recorded.time.into();
            known = Some(Membership {
                user,
                role,
                joined_at,
            });
        }
    }
    Ok(known)
}

fn first_role(created: &ChatRoomCreated, user: UserId) -> Option<RoomRole> {
    let first = created.members.iter().find(|first| first.user_id == user);
    first.map(|first| first.role)
}
