//! `DELETE /api/chat/rooms/{id}/members/{userId}`: the owner or an admin takes somebody out, or a
//! member themselves.

use axum::extract::{Path, State};
use doran_contract::{ErrorCode, RoomId, UserId, room::Room};
use doran_platform::http::{Actor, CommandHeaders, Refusal, Success};

use super::{SOURCE, answer::room_answer};
use crate::{room::Command, state::Service};

pub(crate) async fn remove_member(
    State(service): State<Service>,
    actor: Actor,
    Path((room_id, user)): Path<(String, String)>,
    headers: CommandHeaders,
) -> Result<Success<Room>, Refusal> {
    let malformed = |_| Refusal::new(ErrorCode::BadRequest, "the id in the path is not a UUID");
    let room_id: RoomId = room_id.parse().map_err(malformed)?;
    let user: UserId = user.parse().map_err(malformed)?;
    let actor = actor.user_id;
    let ctx = headers.context(&service.platform, SOURCE, Some(actor), &[]);
    let outcome = service
        .rooms
        .execute(
            &(),
            &room_id.to_string(),
            Command::RemoveMember { actor, user },
            &ctx,
        )
        .await?;
    let room = room_answer(&service, &outcome, &ctx, actor).await?;
    Ok(Success::ok(room)
        .at(&outcome.position)
        .version(outcome.sequence))
}
