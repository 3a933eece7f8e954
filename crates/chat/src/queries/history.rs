//! `GET /api/chat/rooms/{id}/messages`: a piece of a room's history, oldest first.

use axum::extract::State;
use doran_contract::{ErrorCode, RoomId, message::HistoryPage};
use doran_platform::http::{Actor, Id, Limit, Query, Refusal, Success, UpToDate};
use garde::Validate;
use serde::Deserialize;
use sqlx::{PgPool, types::Json};

use super::message_row::message_columns;
use crate::{
    messages::{Sealed, open_all},
    state::Service,
};

const BACKWARD: &str = concat!(
    "select to_jsonb(p) from (select ",
    message_columns!(),
    " from messages m
    where m.room_id = $1
        and m.seq < $2
    order by m.seq desc
    limit $3) p"
);

const FORWARD: &str = concat!(
    "select to_jsonb(p) from (select ",
    message_columns!(),
    " from messages m
    where m.room_id = $1
        and m.seq > $2
    order by m.seq
    limit $3) p"
);

const BOUNDS: &str = "
    select coalesce(min(m.seq), 0), coalesce(max(m.seq), 0)
    from messages m
    where m.room_id = $1";

/// At most one of `before`, `after` and `around`; the newest page without any.
#[derive(Deserialize, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Request {
    before: Option<u64>,
    after: Option<u64>,
    around: Option<u64>,
    #[garde(dive)]
    #[serde(default)]
    limit: Limit,
}

/// Where a page begins, and which way it goes.
#[derive(Clone, Copy)]
enum Anchor {
    Newest,
    Before(i64),
    After(i64),
    Around(i64),
}

pub(crate) async fn history(
    State(service): State<Service>,
    actor: Actor,
    Id(room_id): Id<RoomId>,
    _: UpToDate,
    Query(request): Query<Request>,
) -> Result<Success<HistoryPage>, Refusal> {
    let anchor = request.anchor()?;
    service.require_member(room_id, actor.user_id).await?;
    let messages = read(&service.pool, room_id, anchor, request.limit.get()).await?;
    let (first, head): (i64, i64) = sqlx::query_as(BOUNDS)
        .bind(room_id.as_uuid())
        .fetch_one(&service.pool)
        .await?;
    let (first, head) = (first.unsigned_abs(), head.unsigned_abs());
    let (has_before, has_after) = match (messages.first(), messages.last()) {
        (Some(oldest), Some(newest)) => (first < oldest.seq(), head > newest.seq()),
        _ => anchor.around_nothing(head),
    };
    Ok(Success::ok(HistoryPage {
        items: open_all(&service.platform.keyring, messages).await?,
        has_before,
        has_after,
        head,
    }))
}

impl Request {
    fn anchor(&self) -> Result<Anchor, Refusal> {
        match (self.before, self.after, self.around) {
            (None, None, None) => Ok(Anchor::Newest),
            (Some(seq), None, None) => Ok(Anchor::Before(signed(seq))),
            (None, Some(seq), None) => Ok(Anchor::After(signed(seq))),
            (None, None, Some(seq)) => Ok(Anchor::Around(signed(seq))),
            _ => Err(Refusal::new(
                ErrorCode::BadRequest,
                "give one of before, after and around",
            )),
        }
    }
}

impl Anchor {
    /// Whether there is something on either side of a page without messages.
    fn around_nothing(self, head: u64) -> (bool, bool) {
        let is_empty = head == 0;
        match self {
            Self::Newest | Self::Around(_) => (false, false),
            Self::Before(_) => (false, !is_empty),
            Self::After(_) => (!is_empty, false),
        }
    }
}

async fn read(
    pool: &PgPool,
    room: RoomId,
    anchor: Anchor,
    limit: i64,
) -> Result<Vec<Sealed>, sqlx::Error> {
    match anchor {
        Anchor::Newest => backward(pool, room, i64::MAX, limit).await,
        Anchor::Before(seq) => backward(pool, room, seq, limit).await,
        Anchor::After(seq) => forward(pool, room, seq, limit).await,
        Anchor::Around(seq) => {
            let newer = limit / 2;
            let older = limit - newer;
            let mut messages = backward(pool, room, seq.saturating_add(1), older).await?;
            messages.extend(forward(pool, room, seq, newer).await?);
            Ok(messages)
        }
    }
}

async fn backward(
    pool: &PgPool,
    room: RoomId,
    before: i64,
    limit: i64,
) -> Result<Vec<Sealed>, sqlx::Error> {
    let mut messages = fetch(pool, BACKWARD, (room, before, limit)).await?;
    messages.reverse();
    Ok(messages)
}

async fn forward(
    pool: &PgPool,
    room: RoomId,
    after: i64,
    limit: i64,
) -> Result<Vec<Sealed>, sqlx::Error> {
    fetch(pool, FORWARD, (room, after, limit)).await
}

async fn fetch(
    pool: &PgPool,
    sql: &'static str,
    (room, seq, limit): (RoomId, i64, i64),
) -> Result<Vec<Sealed>, sqlx::Error> {
    let rows: Vec<Json<Sealed>> = sqlx::query_scalar(sql)
        .bind(room.as_uuid())
        .bind(seq)
        .bind(limit)
        .fetch_all(pool)
        .await?;
    Ok(rows.into_iter().map(|Json(message)| message).collect())
}

/// No sequence is that large: everything is before it.
fn signed(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}
