//! `GET /api/chat/rooms/{id}/read`: up to where the reader has read.

use axum::extract::State;
use doran_contract::{RoomId, command::ReadMarker};
use doran_platform::http::{Actor, Id, Refusal, Success, UpToDate};

use crate::state::Service;

pub(crate) async fn read_marker(
    State(service): State<Service>,
    actor: Actor,
    _: UpToDate,
    Id(room_id): Id<RoomId>,
) -> Result<Success<ReadMarker>, Refusal> {
    service.require_member(room_id, actor.user_id).await?;
    let seq = service.markers.look_up(room_id, actor.user_id).await?;
    Ok(Success::ok(ReadMarker { seq }))
}
