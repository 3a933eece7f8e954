//! `GET /api/chat/rooms/{id}`: one room, for its members; a public one for everybody.

use std::time::Duration;

use axum::extract::{FromRef, State};
use doran_contract::{
    RoomId,
    room::{Room, Visibility},
    subject::ROOM_STREAM,
};
use doran_eventstore::Position;
use doran_platform::http::{Actor, Id, Refusal, Success, UpToDate};
use doran_projection::Positions;

use super::{
    public_rooms::PublicRoom,
    room_row::{RoomRow, open},
};
use crate::{room, state::Service};

/// How long the read model may take to have a room that was just made.
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) async fn get_room(
    State(service): State<Service>,
    actor: Actor,
    Id(room_id): Id<RoomId>,
    _: UpToDate,
) -> Result<Success<Room>, Refusal> {
    if let Some(found) = find(&service, room_id, &actor).await? {
        return Ok(found);
    }
    // It is in the log, so it will be in the read model in a moment.
    let newest = service.directory.look(room_id, |room| room.sequence);
    let newest = newest.ok_or(room::Error::NotFound)?;
    let positions = Positions::from_ref(&service);
    positions
        .wait(&[Position::new(ROOM_STREAM, newest)], PATIENCE)
        .await?;
    let found = find(&service, room_id, &actor).await?;
    found.ok_or_else(|| room::Error::NotFound.into())
}

/// None while the read model does not have the room.
async fn find(
    service: &Service,
    room_id: RoomId,
    actor: &Actor,
) -> Result<Option<Success<Room>>, Refusal> {
    let person = actor.user_id;
    if let Err(refusal) = service.require_member(room_id, person).await {
        let visibility = service.directory.look(room_id, |room| room.visibility);
        if visibility != Some(Visibility::Public) {
            return Err(refusal);
        }
        let room = PublicRoom::one(&service.pool, person, room_id).await?;
        return Ok(room.map(|room| {
            let version = room.version();
            Success::ok(room.into_room()).version(version)
        }));
    }
    let Some(row) = RoomRow::one(&service.pool, person, room_id).await? else {
        return Ok(None);
    };
    let version = row.version();
    let rooms = open(&service.platform.keyring, vec![row]).await?;
    let room = rooms.into_iter().next();
    Ok(room.map(|room| Success::ok(room).version(version)))
}
