//! `GET /api/chat/rooms`: the reader's rooms, where something was said last first.

use axum::extract::State;
use doran_contract::{Page, room::Room};
use doran_platform::http::{Actor, Limit, Query, Refusal, Success, UpToDate};
use garde::Validate;
use serde::Deserialize;
use sqlx::types::Uuid;

use super::room_row::{RoomRow, open_rooms, select_rooms};
use crate::state::Service;

#[derive(Deserialize, Validate)]
pub(crate) struct Request {
    #[garde(dive)]
    #[serde(default)]
    limit: Limit,
    #[garde(skip)]
    cursor: Option<String>,
}

pub(crate) async fn list_rooms(
    State(service): State<Service>,
    actor: Actor,
    _: UpToDate,
    Query(request): Query<Request>,
) -> Result<Success<Page<Room>>, Refusal> {
    let after = request.cursor.as_deref().map(read_cursor).transpose()?;
    let (activity, id) = after.unwrap_or((i64::MAX, Uuid::max()));
    let limit = request.limit.get();
    let rows: Vec<RoomRow> = sqlx::query_as(concat!(
        select_rooms!(),
        "where me.user_id is not null and (activity.at, r.id) < ($2, $3)
         order by activity.at desc, r.id desc
         limit $4",
    ))
    .bind(actor.user_id.as_uuid())
    .bind(activity)
    .bind(id)
    .bind(limit + 1)
    .fetch_all(&service.pool)
    .await?;
    Ok(Success::ok(page(&service, rows, limit).await?))
}

/// The first `limit` of the rows; one more says that there is a next page.
pub(super) async fn page(
    service: &Service,
    mut rows: Vec<RoomRow>,
    limit: i64,
) -> Result<Page<Room>, Refusal> {
    let limit = usize::try_from(limit).unwrap_or_default();
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().map(RoomRow::cursor);
    Ok(Page {
        items: open_rooms(&service.platform.keyring, rows).await?,
        next_cursor: last.filter(|_| has_more),
    })
}

pub(super) fn read_cursor(text: &str) -> Result<(i64, Uuid), Refusal> {
    let parts = text.split_once('_');
    let read = parts.and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?)));
    read.ok_or_else(|| Refusal::invalid_field("cursor", "is not one that a page gave"))
}
