//! `GET /api/chat/rooms/{id}`: one room, for its members.

use axum::extract::State;
use doran_contract::{ErrorCode, RoomId, room::Room};
use doran_platform::http::{Actor, Id, Refusal, Success, UpToDate};

use super::room_row::{RoomRow, open};
use crate::state::Service;

pub(crate) async fn get_room(
    State(service): State<Service>,
    actor: Actor,
    Id(room_id): Id<RoomId>,
    _: UpToDate,
) -> Result<Success<Room>, Refusal> {
    service.require_member(room_id, actor.user_id).await?;
    let row = RoomRow::one(&service.pool, actor.user_id, room_id).await?;
    let row = row.ok_or_else(not_there_yet)?;
    let version = row.version();
    let rooms = open(&service.platform.keyring, vec![row]).await?;
    let room = rooms.into_iter().next().ok_or_else(not_there_yet)?;
    Ok(Success::ok(room).version(version))
}

/// The log has the room, so the read model will soon.
fn not_there_yet() -> Refusal {
    Refusal::new(
        ErrorCode::ProjectionLag,
        "the room is not in the read model yet, try again",
    )
}
