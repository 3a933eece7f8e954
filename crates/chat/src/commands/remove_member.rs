//! `DELETE /api/chat/rooms/{id}/members/{userId}`: the owner or an admin takes somebody out, or a
//! member themselves. With `?ban=true` they cannot come in any more, until
//! `DELETE /api/chat/rooms/{id}/bans/{userId}`.

use axum::extract::{Path, State};
use doran_contract::room::Room;
use doran_platform::http::{Actor, CommandHeaders, Query, Refusal, Success};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{SOURCE, answer::execute, people::require_all, target};
use crate::{room::Command, state::Service};

#[derive(Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Request {
    #[serde(default)]
    ban: bool,
}

pub(crate) async fn remove_member(
    State(service): State<Service>,
    actor: Actor,
    Path(path): Path<(String, String)>,
    Query(Request { ban }): Query<Request>,
    headers: CommandHeaders,
) -> Result<Success<Room>, Refusal> {
    let (room_id, user) = target(&path)?;
    let actor = actor.user_id;
    let asked: &[u8] = if ban { b"ban" } else { b"" };
    let ctx = headers.context(&service.platform, SOURCE, Some(actor), asked);
    let command = if ban {
        require_all(&service.platform.users, "userId", &[user]).await?;
        Command::Ban { actor, user }
    } else {
        Command::RemoveMember { actor, user }
    };
    execute(&service, actor, room_id, command, &ctx).await
}

pub(crate) async fn unban(
    State(service): State<Service>,
    actor: Actor,
    Path(path): Path<(String, String)>,
    headers: CommandHeaders,
) -> Result<Success<Room>, Refusal> {
    let (room_id, user) = target(&path)?;
    let actor = actor.user_id;
    let ctx = headers.context(&service.platform, SOURCE, Some(actor), &[]);
    let command = Command::Unban { actor, user };
    execute(&service, actor, room_id, command, &ctx).await
}
