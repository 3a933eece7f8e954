//! `POST /api/chat/rooms`: somebody makes a room, and is its owner.

use axum::extract::State;
use doran_contract::{
    RoomId, UserId,
    id::created_by,
    room::{Room, RoomKind, Visibility},
};
use doran_platform::http::{Actor, Body, CommandHeaders, Refusal, Success, valid};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;
use sqlx::types::Uuid;

use super::{
    SOURCE,
    answer::room_answer,
    people::require_all,
    rules::{self, MAX_DESCRIPTION_CHARS, MAX_NAME_CHARS, MAX_USERS, trimmed},
};
use crate::{
    bots::KnownBot,
    room::{Command, Creation},
    state::Service,
};

#[derive(Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    /// A direct room needs none: each of its two sees the other.
    #[serde(alias = "roomName")]
    #[garde(
        length(chars, max = MAX_NAME_CHARS),
        inner(custom(valid::not_blank), custom(valid::no_control_characters))
    )]
    name: Option<String>,
    #[garde(length(chars, max = MAX_DESCRIPTION_CHARS), inner(custom(rules::description)))]
    description: Option<String>,
    #[serde(default)]
    #[garde(skip)]
    kind: RoomKind,
    #[serde(default)]
    #[garde(skip)]
    visibility: Visibility,
    /// Of a room of the kind `bot`, which is named after it unless told otherwise.
    #[garde(skip)]
    bot_id: Option<UserId>,
    #[serde(default)]
    #[garde(length(max = MAX_USERS))]
    member_ids: Vec<UserId>,
}

pub(crate) async fn create_room(
    State(service): State<Service>,
    actor: Actor,
    headers: CommandHeaders,
    body: Body<Request>,
) -> Result<Success<Room>, Refusal> {
    let request = body.value;
    require_all(&service.platform.users, "memberIds", &request.member_ids).await?;
    let ctx = headers.context(&service.platform, SOURCE, Some(actor.user_id), &body.raw);
    if request.kind == RoomKind::Direct && request.visibility == Visibility::Public {
        let reason = "a direct room is private";
        return Err(Refusal::invalid_field("visibility", reason));
    }
    let bot = bot(&service, &request).await?;
    let name = match (&request.name, request.kind, &bot) {
        (Some(name), _, _) => name.trim().to_owned(),
        (None, RoomKind::Direct, _) => String::new(),
        (None, _, Some(bot)) => bot.details.profile.name.clone(),
        (None, _, None) => return Err(Refusal::invalid_field("name", "is missing")),
    };
    let room_id = room_id(&request, actor.user_id, ctx.command_id);
    let creation = Creation {
        room_id,
        name,
        description: request.description.as_deref().and_then(trimmed),
        kind: request.kind,
        visibility: request.visibility,
        owner_id: actor.user_id,
        bot_id: request.bot_id,
        members: request.member_ids,
    };
    let outcome = service
        .rooms
        .execute(&(), &room_id.to_string(), Command::Create(creation), &ctx)
        .await?;
    let room = room_answer(&service, &outcome, &ctx, actor.user_id).await?;
    let success = if outcome.replayed || !outcome.events.is_empty() {
        Success::created(&format!("/api/chat/rooms/{room_id}"), room)
    } else {
        // The other one of the pair made it before.
        Success::ok(room)
    };
    Ok(success.at(&outcome.position).version(outcome.sequence))
}

/// The bot of a room that is to have one, which must be there.
async fn bot(service: &Service, request: &Request) -> Result<Option<KnownBot>, Refusal> {
    let refuse = |reason: &str| Err(Refusal::invalid_field("botId", reason));
    match (request.kind, request.bot_id) {
        (RoomKind::Group | RoomKind::Direct, None) => Ok(None),
        (RoomKind::Group | RoomKind::Direct, Some(_)) => refuse("is for rooms of the kind bot"),
        (RoomKind::Bot, None) => refuse("is missing"),
        (RoomKind::Bot, Some(id)) => match service.bots.find(id).await {
            Some(bot) => Ok(Some(bot)),
            None => refuse("there is no such bot"),
        },
    }
}

/// The room of two people is always the same one.
fn room_id(request: &Request, actor: UserId, command_id: Uuid) -> RoomId {
    let mut others = request.member_ids.iter().filter(|user| **user != actor);
    match (request.kind, others.next(), others.next()) {
        (RoomKind::Direct, Some(other), None) => RoomId::direct(actor, *other),
        (RoomKind::Bot, _, _) => RoomId::with_bot(created_by(command_id)),
        _ => RoomId::new(created_by(command_id)),
    }
}
