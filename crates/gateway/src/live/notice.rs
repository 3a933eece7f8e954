//! Changes of rooms and memberships, told to every socket of the members concerned, subscribed or
//! not. They come from the rooms in memory, which miss nothing, after those have taken them in.

use std::collections::BTreeMap;

use axum::extract::ws::Utf8Bytes;
use doran_contract::{
    RoomId, UserId,
    events::{ChatRoomCreated, MemberJoined, MemberRemoved, ROOM_EVENTS, RoomEvent},
    frame::{MemberChange, RoomChange, ServerFrame},
    room::{Member, Room, RoomRole},
};
use doran_eventstore::{DecodeError, ReadError, Recorded};
use doran_platform::{directory::RoomEntry, event_schema, profile::ProfileError};
use tokio::sync::broadcast::error::RecvError;

use super::render::text;
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
    match recorded.decode::<RoomEvent>(&event_schema(ROOM_EVENTS))? {
        RoomEvent::ChatRoomCreated(created) => {
            tell_of_room(gateway, created.room_id, RoomChange::Created).await
        }
        RoomEvent::ChatRoomRenamed(renamed) => {
            tell_of_room(gateway, renamed.room_id, RoomChange::Renamed).await
        }
        RoomEvent::ChatRoomDescribed(described) => {
            tell_of_room(gateway, described.room_id, RoomChange::Described).await
        }
        RoomEvent::MemberJoined(joined) => tell_of_joining(gateway, recorded, joined).await,
        RoomEvent::MemberRemoved(removed) => tell_of_removal(gateway, removed).await,
        RoomEvent::RoomRestricted(restricted) => {
            tell_of_room(gateway, restricted.room_id, RoomChange::Restricted).await
        }
        RoomEvent::RoomDeactivated(deactivated) => {
            tell_of_room(gateway, deactivated.room_id, RoomChange::Deactivated).await
        }
        RoomEvent::RoomReactivated(reactivated) => {
            tell_of_room(gateway, reactivated.room_id, RoomChange::Reactivated).await
        }
    }
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
    let mut frames: BTreeMap<RoomRole, Utf8Bytes> = BTreeMap::new();
    for (user, role) in members {
        let frame = frames.entry(role).or_insert_with(|| {
            text(&ServerFrame::Room {
                room_id: room,
                change,
                room: Box::new(Room {
                    role: Some(role),
                    ..seen.clone()
                }),
            })
        });
        gateway.sockets.push(user, frame);
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

async fn tell_of_removal(gateway: &Gateway, removed: MemberRemoved) -> Result<(), NoticeError> {
    let (room, user) = (removed.room_id, removed.user_id);
    let change = match removed.removed_by {
        Some(by) if by != user => MemberChange::Removed,
        Some(_) | None => MemberChange::Left,
    };
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
    let frame = text(&ServerFrame::Member {
        room_id: room,
        change,
        member: Member {
            user_id: membership.user,
            name: profile.user.name.clone(),
            picture: profile.user.picture.clone(),
            role: membership.role,
            joined_at: membership.joined_at,
            presence: None,
        },
    });
    for (user, _) in told {
        gateway.sockets.push(user, &frame);
    }
    Ok(())
}

/// Members of a room who have sockets here, and their roles.
fn concerned(gateway: &Gateway, room: RoomId) -> Vec<(UserId, RoomRole)> {
    let with_sockets = |entry: &RoomEntry| {
        let members = entry
            .members
            .iter()
            .map(|(user, member)| (*user, member.role));
        members
            .filter(|(user, _)| gateway.sockets.has(*user))
            .collect()
    };
    gateway.rooms.look(room, with_sockets).unwrap_or_default()
}

/// The room from the newest event of each type, without what only its reader knows.
async fn read_room(gateway: &Gateway, room: RoomId) -> Result<Option<Room>, NoticeError> {
    let mut created = None;
    let (mut name, mut description) = (None, None);
    let mut updated_at = None;
    for recorded in gateway.hubs.log().newest_of_room(room).await? {
        updated_at = updated_at.max(Some(recorded.time));
        match recorded.decode::<RoomEvent>(&event_schema(ROOM_EVENTS))? {
            RoomEvent::ChatRoomCreated(event) => created = Some((event, recorded.time)),
            RoomEvent::ChatRoomRenamed(event) => name = Some(event.name),
            RoomEvent::ChatRoomDescribed(event) => description = Some(event.description),
            RoomEvent::MemberJoined(_)
            | RoomEvent::MemberRemoved(_)
            | RoomEvent::RoomRestricted(_)
            | RoomEvent::RoomDeactivated(_)
            | RoomEvent::RoomReactivated(_) => {}
        }
    }
    let Some((created, created_at)) = created else {
        return Ok(None);
    };
    let now = gateway
        .rooms
        .look(room, |entry| (entry.status, entry.members.len()));
    let Some((status, member_count)) = now else {
        return Ok(None);
    };
    Ok(Some(Room {
        id: room,
        name: name.unwrap_or(created.name),
        description: description.unwrap_or(created.description),
        kind: created.kind,
        visibility: created.visibility,
        owner_id: created.owner_id,
        bot_id: None,
        settings: serde_json::json!({}),
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
    let mut newest = None;
    let events = log
        .newest_of_room(room)
        .await?
        .into_iter()
        .chain(log.joinings(room).await?);
    for recorded in events {
        let role = match recorded.decode::<RoomEvent>(&event_schema(ROOM_EVENTS))? {
            RoomEvent::ChatRoomCreated(created) => first_role(&created, user),
            RoomEvent::MemberJoined(joined) if joined.user_id == user => Some(joined.role),
            RoomEvent::MemberJoined(_)
            | RoomEvent::MemberRemoved(_)
            | RoomEvent::ChatRoomRenamed(_)
            | RoomEvent::ChatRoomDescribed(_)
            | RoomEvent::RoomRestricted(_)
            | RoomEvent::RoomDeactivated(_)
            | RoomEvent::RoomReactivated(_) => None,
        };
        // Compared by sequence first, which decides.
        newest = newest.max(role.map(|role| (recorded.sequence, role, recorded.time)));
    }
    Ok(newest.map(|(_, role, time)| Membership {
        user,
        role,
        joined_at: time.into(),
    }))
}

fn first_role(created: &ChatRoomCreated, user: UserId) -> Option<RoomRole> {
    let first = created.members.iter().find(|first| first.user_id == user);
    first.map(|first| first.role)
}
