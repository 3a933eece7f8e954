//! `GET /api/chat/rooms/{id}`: one room, for its members; a public one for everybody.

use axum::extract::State;
use doran_contract::{
    ErrorCode, RoomId,
    room::{Room, Visibility},
};
use doran_platform::http::{Actor, Id, Refusal, Success, UpToDate};

use super::{
    public_rooms::PublicRoom,
    room_row::{RoomRow, open},
};
use crate::state::Service;

pub(crate) async fn get_room(
    State(service): State<Service>,
    actor: Actor,
    Id(room_id): Id<RoomId>,
    _: UpToDate,
) -> Result<Success<Room>, Refusal> {
    let person = actor.user_id;
    if let Err(refusal) = service.require_member(room_id, person).await {
        let visibility = service.directory.look(room_id, |room| room.visibility);
        if visibility != Some(Visibility::Public) {
            return Err(refusal);
        }
        let room = PublicRoom::one(&service.pool, person, room_id).await?;
        let room = room.ok_or_else(not_there_yet)?;
        let version = room.version();
        return Ok(Success::ok(room.into_room()).version(version));
    }
    let row = RoomRow::one(&service.pool, person, room_id).await?;
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
