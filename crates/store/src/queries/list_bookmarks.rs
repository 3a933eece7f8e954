//! `GET /api/store/bookmarks`: one's own bookmarks, newest first.

use axum::extract::State;
use doran_contract::{Page, RoomId, UserId, store::Bookmark};
use doran_platform::http::{Actor, Limit, Query, Refusal, Success, UpToDate, unless_empty};
use futures_util::{StreamExt, TryStreamExt, stream};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;

use super::bookmark_row::{BookmarkRow, bookmark_columns, open};
use crate::state::Service;

/// Messages that are asked of the log at once.
const AT_ONCE: usize = 16;

const PAGE: &str = concat!(
    "select ",
    bookmark_columns!(),
    " where b.user_id = $1
        and b.sequence < $2
        and ($3::uuid is null or b.room_id = $3)
        and ($4::uuid is null or b.sender_id = $4)
    order by b.sequence desc
    limit $5"
);

#[derive(Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
#[garde(allow_unvalidated)]
pub(crate) struct Request {
    /// Where the page before ended.
    cursor: Option<u64>,
    #[serde(default, deserialize_with = "unless_empty")]
    room_id: Option<RoomId>,
    /// Only what this bot said.
    #[serde(default, deserialize_with = "unless_empty")]
    bot_id: Option<UserId>,
    #[garde(dive)]
    #[serde(default)]
    limit: Limit,
}

pub(crate) async fn list_bookmarks(
    State(service): State<Service>,
    actor: Actor,
    _: UpToDate,
    Query(request): Query<Request>,
) -> Result<Success<Page<Bookmark>>, Refusal> {
    let limit = request.limit.get();
    let before = request.cursor.and_then(|cursor| i64::try_from(cursor).ok());
    let mut rows: Vec<BookmarkRow> = sqlx::query_as(PAGE)
        .bind(actor.user_id.as_uuid())
        .bind(before.unwrap_or(i64::MAX))
        .bind(request.room_id.map(RoomId::as_uuid))
        .bind(request.bot_id.map(UserId::as_uuid))
        .bind(limit + 1)
        .fetch_all(&service.pool)
        .await?;
    let length = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > length;
    rows.truncate(length);
    let last = rows.last().filter(|_| has_more);
    let next_cursor = last.map(|row| row.sequence.to_string());
    let opened = rows
        .into_iter()
        .map(|row| open(&service, actor.user_id, row));
    let items = stream::iter(opened).buffered(AT_ONCE).try_collect().await?;
    Ok(Success::ok(Page { items, next_cursor }))
}
