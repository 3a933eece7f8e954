//! `POST /api/chat/rooms/{id}/members`: the owner or an admin takes people in.

use std::collections::HashSet;

use axum::extract::State;
use doran_contract::{
    Page, RoomId, Timestamp, UserId,
    events::RoomEvent,
    room::{Member, RoomRole},
};
use doran_eventstore::{CommandContext, Outcome};
use doran_platform::{
    directory::{Membership, RoomEntry},
    http::{Actor, Body, CommandHeaders, Id, Refusal, Success},
};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    SOURCE,
    people::{members, require_all},
    rules::{self, MAX_USERS},
};
use crate::{
    room::{Command, Room},
    state::Service,
};

/// One person by `userId`, or several by `userIds`.
#[derive(Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    #[garde(skip)]
    user_id: Option<UserId>,
    #[garde(inner(length(min = 1, max = MAX_USERS)))]
    user_ids: Option<Vec<UserId>>,
    #[serde(default)]
    #[garde(custom(rules::role))]
    role: RoomRole,
}

/// What was asked for: the member, or the list of them.
#[derive(JsonSchema, Serialize)]
#[serde(untagged)]
pub(crate) enum Added {
    One(Option<Member>),
    Several(Page<Member>),
}

pub(crate) async fn add_members(
    State(service): State<Service>,
    actor: Actor,
    Id(room_id): Id<RoomId>,
    headers: CommandHeaders,
    body: Body<Request>,
) -> Result<Success<Added>, Refusal> {
    let (field, users) = match (body.value.user_id, body.value.user_ids) {
        (Some(user), None) => ("userId", vec![user]),
        (None, Some(users)) => ("userIds", users),
        (Some(_), Some(_)) | (None, None) => {
            return Err(Refusal::invalid_field(
                "userId",
                "give either userId or userIds",
            ));
        }
    };
    let is_one = field == "userId";
    require_all(&service.platform.users, field, &users).await?;
    let ctx = headers.context(&service.platform, SOURCE, Some(actor.user_id), &body.raw);
    let command = Command::AddMembers {
        actor: actor.user_id,
        users: users.clone(),
        role: body.value.role,
    };
    let outcome = service
        .rooms
        .execute(&(), &room_id.to_string(), command, &ctx)
        .await?;
    let is_new = outcome.replayed || !outcome.events.is_empty();
    let memberships = memberships(&service, &outcome, &ctx, users).await;
    let mut items = members(&service, memberships).await?;
    let added = if is_one {
        Added::One(items.pop())
    } else {
        Added::Several(Page {
            items,
            next_cursor: None,
        })
    };
    let success = if is_new {
        Success::created(&format!("/api/chat/rooms/{room_id}/members"), added)
    } else {
        Success::ok(added)
    };
    Ok(success.at(&outcome.position).version(outcome.sequence))
}

/// Who came with this command joined now; since when the others are in it is known in memory.
async fn memberships(
    service: &Service,
    outcome: &Outcome<Room>,
    ctx: &CommandContext,
    users: Vec<UserId>,
) -> Vec<(UserId, Membership)> {
    let Some(room) = outcome.aggregate.details() else {
        return Vec::new();
    };
    let joined_now: HashSet<_> = outcome.events.iter().filter_map(newcomer).collect();
    let mut seen = HashSet::new();
    let mut memberships = Vec::new();
    for user in users {
        let Some(role) = room.members.get(&user).filter(|_| seen.insert(user)) else {
            continue;
        };
        let joined_at = if joined_now.contains(&user) {
            None
        } else {
            joined_at(service, room.id, user).await
        };
        let membership = Membership {
            role: *role,
            joined_at: joined_at.unwrap_or_else(|| ctx.time.into()),
        };
        memberships.push((user, membership));
    }
    memberships
}

fn newcomer(event: &RoomEvent) -> Option<UserId> {
    match event {
        RoomEvent::MemberJoined(joined) => Some(joined.user_id),
        RoomEvent::ChatRoomCreated(_)
        | RoomEvent::ChatRoomRenamed(_)
        | RoomEvent::ChatRoomDescribed(_)
        | RoomEvent::ChatRoomVisibilityChanged(_)
        | RoomEvent::ChatRoomSettingsChanged(_)
        | RoomEvent::ChatRoomArchived(_)
        | RoomEvent::ChatRoomUnarchived(_)
        | RoomEvent::ChatRoomDeleted(_)
        | RoomEvent::MemberRemoved(_)
        | RoomEvent::MemberRoleChanged(_)
        | RoomEvent::MemberBanned(_)
        | RoomEvent::MemberUnbanned(_)
        | RoomEvent::InviteCreated(_)
        | RoomEvent::RoomRestricted(_)
        | RoomEvent::RoomDeactivated(_)
        | RoomEvent::RoomReactivated(_) => None,
    }
}

pub(super) async fn joined_at(service: &Service, room: RoomId, user: UserId) -> Option<Timestamp> {
    service.directory.role(room, user).await?;
    let joined_at = |entry: &RoomEntry| entry.members.get(&user).map(|member| member.joined_at);
    service.directory.look(room, joined_at).flatten()
}
