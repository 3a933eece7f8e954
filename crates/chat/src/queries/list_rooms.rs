//! `GET /api/chat/rooms`: the rooms that somebody is in, the liveliest first.

use axum::extract::State;
use doran_contract::{Page, room::Room};
use doran_platform::http::{Actor, Limit, Query, Refusal, Success, UpToDate};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    cursor::{Cursor, page},
    room_row::{RoomRow, open},
};
use crate::state::Service;

#[derive(Deserialize, JsonSchema, Validate)]
pub(crate) struct Request {
    #[garde(dive)]
    #[serde(default)]
    limit: Limit,
    #[garde(skip)]
    cursor: Option<Cursor>,
}

pub(crate) async fn list_rooms(
    State(service): State<Service>,
    actor: Actor,
    _: UpToDate,
    Query(Request { limit, cursor }): Query<Request>,
) -> Result<Success<Page<Room>>, Refusal> {
    let limit = limit.get();
    let rows = RoomRow::of(&service.pool, actor.user_id, cursor, limit + 1).await?;
    let Page { items, next_cursor } = page(rows, limit, RoomRow::cursor, |row| row);
    Ok(Success::ok(Page {
        items: open(&service.platform.keyring, items).await?,
        next_cursor,
    }))
}
