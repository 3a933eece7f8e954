//! `POST /api/chat/rooms/{id}/join`: anybody comes into a public room.

use axum::extract::State;
use doran_contract::{RoomId, room::Room};
use doran_platform::http::{Actor, CommandHeaders, Id, Refusal, Success};

use super::{SOURCE, answer::room_answer};
use crate::{room::Command, state::Service};

pub(crate) async fn join_room(
    State(service): State<Service>,
    actor: Actor,
    Id(room_id): Id<RoomId>,
    headers: CommandHeaders,
) -> Result<Success<Room>, Refusal> {
    let actor = actor.user_id;
    let ctx = headers.context(&service.platform, SOURCE, Some(actor), &[]);
    let outcome = service
        .rooms
        .execute(&(), &room_id.to_string(), Command::Join { actor }, &ctx)
        .await?;
    let room = room_answer(&service, &outcome, &ctx, actor).await?;
    Ok(Success::ok(room)
        .at(&outcome.position)
        .version(outcome.sequence))
}
