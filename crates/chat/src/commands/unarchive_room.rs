//! `POST /api/chat/rooms/{id}/unarchive`: the owner opens an archived room again.

use axum::extract::State;
use doran_contract::{RoomId, room::Room};
use doran_platform::http::{Actor, CommandHeaders, Id, Refusal, Success};

use super::{SOURCE, answer::execute};
use crate::{room::Command, state::Service};

pub(crate) async fn unarchive_room(
    State(service): State<Service>,
    actor: Actor,
    Id(room_id): Id<RoomId>,
    headers: CommandHeaders,
) -> Result<Success<Room>, Refusal> {
    let actor = actor.user_id;
    let ctx = headers.context(&service.platform, SOURCE, Some(actor), &[]);
    execute(&service, actor, room_id, Command::Unarchive { actor }, &ctx).await
}
