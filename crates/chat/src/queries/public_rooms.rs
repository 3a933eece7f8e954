//! `GET /api/chat/rooms/public?q=`: rooms that anybody may join, by part of their name.

use axum::extract::State;
use doran_contract::{Page, room::Room};
use doran_platform::http::{Actor, Limit, Query, Refusal, Success, UpToDate};
use garde::Validate;
use serde::Deserialize;
use sqlx::types::Uuid;

use super::{
    list_rooms::{page, read_cursor},
    room_row::{RoomRow, select_rooms},
};
use crate::state::Service;

#[derive(Deserialize, Validate)]
pub(crate) struct Request {
    #[garde(length(chars, max = 100))]
    q: Option<String>,
    #[garde(dive)]
    #[serde(default)]
    limit: Limit,
    #[garde(skip)]
    cursor: Option<String>,
}

pub(crate) async fn public_rooms(
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
        "where r.visibility = 'public'
             and strpos(lower(r.name), lower($5)) > 0
             and (activity.at, r.id) < ($2, $3)
         order by activity.at desc, r.id desc
         limit $4",
    ))
    .bind(actor.user_id.as_uuid())
    .bind(activity)
    .bind(id)
    .bind(limit + 1)
    .bind(request.q.unwrap_or_default().trim().to_owned())
    .fetch_all(&service.pool)
    .await?;
    Ok(Success::ok(page(&service, rows, limit).await?))
}
