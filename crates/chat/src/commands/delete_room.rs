//! `DELETE /api/chat/rooms/{id}`: the owner ends a room for everybody and for ever.

use axum::extract::State;
use doran_contract::RoomId;
use doran_platform::http::{Actor, CommandHeaders, Id, Refusal, Success};

use super::SOURCE;
use crate::{room::Command, state::Service};

/// Nothing is left that could be answered.
pub(crate) async fn delete_room(
    State(service): State<Service>,
    actor: Actor,
    Id(room_id): Id<RoomId>,
    headers: CommandHeaders,
) -> Result<Success<()>, Refusal> {
    let actor = actor.user_id;
    let ctx = headers.context(&service.platform, SOURCE, Some(actor), &[]);
    let outcome = service
        .rooms
        .execute(&(), &room_id.to_string(), Command::Delete { actor }, &ctx)
        .await?;
    Ok(Success::ok(())
        .at(&outcome.position)
        .version(outcome.sequence))
}
