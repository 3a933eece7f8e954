//! `GET /api/chat/rooms/{id}`: a room, for its members; a public one for everybody.

use axum::extract::State;
use doran_contract::{
    ErrorCode, RoomId,
    room::{Room, Visibility},
};
use doran_platform::http::{Actor, Id, Refusal, Success, UpToDate};

use super::room_row::{RoomRow, open_rooms, select_rooms};
use crate::state::Service;

pub(crate) async fn get_room(
    State(service): State<Service>,
    actor: Actor,
    _: UpToDate,
    Id(room_id): Id<RoomId>,
) -> Result<Success<Room>, Refusal> {
    let visibility = service.directory.look(room_id, |room| room.visibility);
    if visibility != Some(Visibility::Public) {
        service.require_member(room_id, actor.user_id).await?;
    }
    let row: Option<RoomRow> = sqlx::query_as(concat!(select_rooms!(), "where r.id = $2"))
        .bind(actor.user_id.as_uuid())
        .bind(room_id.as_uuid())
        .fetch_optional(&service.pool)
        .await?;
    let row = row.ok_or_else(|| {
        Refusal::new(
            ErrorCode::ProjectionLag,
            "the room was made a moment ago and cannot be read yet",
        )
    })?;
    let version = row.version();
    let mut rooms = open_rooms(&service.platform.keyring, vec![row]).await?;
    let room = rooms.pop().ok_or_else(|| Refusal::not_found("room"))?;
    Ok(Success::ok(room).version(version))
}
