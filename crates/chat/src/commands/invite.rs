//! `POST /api/chat/rooms/{id}/invites` and `POST /api/chat/invites/{code}/accept`: a way into a
//! private room for whoever has the code. The log has a keyed hash of it only.

use std::time::Duration;

use axum::extract::{Path, State};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use doran_contract::{
    RoomId,
    room::{Invite, Room},
};
use doran_platform::http::{Actor, Body, CommandHeaders, Id, Refusal, Success};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;
use sqlx::types::Uuid;

use super::{SOURCE, answer::execute};
use crate::{
    room::{self, Command, Invitation},
    state::Service,
};

const WEEK_SECONDS: u64 = 7 * 24 * 60 * 60;
const MAX_SECONDS: u64 = 30 * 24 * 60 * 60;
const ROOM_BYTES: usize = 16;
const CODE_BYTES: usize = ROOM_BYTES + 32;

#[derive(Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    #[serde(default = "week")]
    #[garde(range(min = 60, max = MAX_SECONDS))]
    expires_in_seconds: u64,
    #[garde(inner(range(min = 1, max = 10_000)))]
    max_uses: Option<u32>,
}

fn week() -> u64 {
    WEEK_SECONDS
}

pub(crate) async fn create_invite(
    State(service): State<Service>,
    actor: Actor,
    Id(room_id): Id<RoomId>,
    headers: CommandHeaders,
    body: Body<Request>,
) -> Result<Success<Invite>, Refusal> {
    let actor = actor.user_id;
    let ctx = headers.context(&service.platform, SOURCE, Some(actor), &body.raw);
    let blinder = &service.platform.blinder;
    let mut code = room_id.as_uuid().as_bytes().to_vec();
    code.extend_from_slice(&blinder.invite_secret(ctx.command_id));
    let expires_at = ctx.time + Duration::from_secs(body.value.expires_in_seconds);
    let invitation = Invitation {
        key: blinder.invite_key(&code),
        now: ctx.time.into(),
        expires_at: expires_at.into(),
        max_uses: body.value.max_uses,
    };
    let command = Command::Invite { actor, invitation };
    let outcome = service
        .rooms
        .execute(&(), &room_id.to_string(), command, &ctx)
        .await?;
    let code = URL_SAFE_NO_PAD.encode(code);
    let link = format!("/api/chat/invites/{code}/accept");
    let invite = Invite {
        room_id,
        expires_at: expires_at.into(),
        max_uses: body.value.max_uses,
        link: link.clone(),
        code,
    };
    Ok(Success::created(&link, invite)
        .at(&outcome.position)
        .version(outcome.sequence))
}

pub(crate) async fn accept_invite(
    State(service): State<Service>,
    actor: Actor,
    Path(code): Path<String>,
    headers: CommandHeaders,
) -> Result<Success<Room>, Refusal> {
    let actor = actor.user_id;
    let (room_id, code) = read(&code).ok_or(room::Error::NoSuchInvite)?;
    let ctx = headers.context(&service.platform, SOURCE, Some(actor), &[]);
    let command = Command::AcceptInvite {
        actor,
        invite_key: service.platform.blinder.invite_key(&code),
        now: ctx.time.into(),
    };
    let accepted = execute(&service, actor, room_id, command, &ctx).await;
    // Whether there is such a room is nobody's business who has no code for it.
    accepted.map_err(|refusal| match refusal.code() {
        doran_contract::ErrorCode::NotFound => room::Error::NoSuchInvite.into(),
        _ => refusal,
    })
}

/// The room, and the whole code in bytes.
fn read(code: &str) -> Option<(RoomId, Vec<u8>)> {
    let bytes = URL_SAFE_NO_PAD.decode(code).ok()?;
    let (room, _) = bytes.split_first_chunk::<ROOM_BYTES>()?;
    let room = RoomId::new(Uuid::from_bytes(*room));
    (bytes.len() == CODE_BYTES).then_some((room, bytes))
}
