//! `POST /api/chat/rooms`: somebody makes a room, and is its owner.

use axum::extract::State;
use doran_contract::{
    RoomId, UserId,
    id::created_by,
    room::{Room, RoomKind, Visibility},
};
use doran_platform::http::{Actor, Body, CommandHeaders, Refusal, Success, valid};
use garde::Validate;
use serde::Deserialize;

use super::{
    SOURCE,
    answer::room_answer,
    people::require_all,
    rules::{self, MAX_DESCRIPTION_CHARS, MAX_NAME_CHARS, MAX_USERS, trimmed},
};
use crate::{
    room::{Command, Creation},
    state::Service,
};

#[derive(Deserialize, Validate)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    #[serde(alias = "roomName")]
    #[garde(
        length(chars, max = MAX_NAME_CHARS),
        custom(valid::not_blank),
        custom(valid::no_control_characters)
    )]
    name: String,
    #[garde(length(chars, max = MAX_DESCRIPTION_CHARS), inner(custom(rules::description)))]
    description: Option<String>,
    #[serde(default)]
    #[garde(custom(rules::kind))]
    kind: RoomKind,
    #[serde(default)]
    #[garde(skip)]
    visibility: Visibility,
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
    let room_id = RoomId::new(created_by(ctx.command_id));
    let creation = Creation {
        room_id,
        name: request.name.trim().to_owned(),
        description: request.description.as_deref().and_then(trimmed),
        kind: request.kind,
        visibility: request.visibility,
        owner_id: actor.user_id,
        members: request.member_ids,
    };
    let outcome = service
        .rooms
        .execute(&(), &room_id.to_string(), Command::Create(creation), &ctx)
        .await?;
    let room = room_answer(&service, &outcome, &ctx, actor.user_id).await?;
    Ok(
        Success::created(&format!("/api/chat/rooms/{room_id}"), room)
            .at(&outcome.position)
            .version(outcome.sequence),
    )
}
