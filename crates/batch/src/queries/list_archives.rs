//! `GET /api/batch/archives`: the files of old messages, newest first.

use axum::extract::State;
use doran_contract::{Page, RoomId, job::Archive};
use doran_platform::http::{Admin, Limit, Query, Refusal, Success, UpToDate, unless_empty};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;
use sqlx::{
    FromRow,
    types::{
        Uuid,
        chrono::{DateTime, Utc},
    },
};

use crate::state::Service;

const ARCHIVES: &str = "
    select name, room_id, through, events, archived_at, sequence
    from archives
    where ($1::uuid is null or room_id = $1)
        and ($2::bigint is null or sequence < $2)
    order by sequence desc
    limit $3";

#[derive(Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    #[serde(default, deserialize_with = "unless_empty")]
    room_id: Option<RoomId>,
    #[garde(dive)]
    #[serde(default)]
    limit: Limit,
    /// Where the page before ended.
    cursor: Option<i64>,
}

#[derive(FromRow)]
struct Row {
    name: String,
    room_id: Uuid,
    through: i64,
    events: i64,
    archived_at: DateTime<Utc>,
    sequence: i64,
}

pub(crate) async fn list_archives(
    State(service): State<Service>,
    _: Admin,
    _: UpToDate,
    Query(request): Query<Request>,
) -> Result<Success<Page<Archive>>, Refusal> {
    let limit = request.limit.get();
    let mut rows: Vec<Row> = sqlx::query_as(ARCHIVES)
        .bind(request.room_id.map(RoomId::as_uuid))
        .bind(request.cursor)
        .bind(limit + 1)
        .fetch_all(&service.pool)
        .await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().filter(|_| has_more);
    Ok(Success::ok(Page {
        next_cursor: last.map(|row| row.sequence.to_string()),
        items: rows.into_iter().map(Archive::from).collect(),
    }))
}

impl From<Row> for Archive {
    fn from(row: Row) -> Self {
        Self {
            room_id: RoomId::new(row.room_id),
            name: row.name,
            through: row.through.unsigned_abs(),
            events: row.events.unsigned_abs(),
            archived_at: row.archived_at.into(),
        }
    }
}
