//! `GET /api/chat/rooms/{id}/messages`: a piece of a room's history, oldest first.

use axum::extract::State;
use doran_contract::{ErrorCode, RoomId, message::HistoryPage};
use doran_platform::http::{Actor, Id, Limit, Query, Refusal, Success, UpToDate};
use garde::Validate;
use serde::Deserialize;
use sqlx::{PgPool, types::Json};

use super::message_json::message_json;
use crate::{
    messages::{Sealed, open_all},
    state::Service,
};

#[derive(Deserialize, Validate)]
pub(crate) struct Request {
    #[garde(skip)]
    before: Option<u64>,
    #[garde(skip)]
    after: Option<u64>,
    #[garde(skip)]
    around: Option<u64>,
    #[garde(dive)]
    #[serde(default)]
    limit: Limit,
}

pub(crate) async fn history(
    State(service): State<Service>,
    actor: Actor,
    _: UpToDate,
    Id(room_id): Id<RoomId>,
    Query(request): Query<Request>,
) -> Result<Success<HistoryPage>, Refusal> {
    service.require_member(room_id, actor.user_id).await?;
    let window = request.window()?;
    let head = head(&service.pool, room_id).await?;
    let (older, newer) = rows(&service.pool, room_id, &window).await?;
    let has_before = older.len() > window.older;
    let has_after = newer.len() > window.newer;
    let older = older.into_iter().take(window.older).rev();
    let messages = older.chain(newer.into_iter().take(window.newer)).collect();
    let items = open_all(&service.platform.keyring, messages).await?;
    let newest = items.last().map_or(0, |message| message.seq);
    Ok(Success::ok(HistoryPage {
        items,
        has_before,
        has_after,
        head: head.max(newest),
    }))
}

/// How many messages before `pivot`, and from it on.
struct Window {
    pivot: i64,
    older: usize,
    newer: usize,
}

impl Request {
    fn window(&self) -> Result<Window, Refusal> {
        let limit = usize::try_from(self.limit.get()).unwrap_or_default();
        let place = |seq: u64| i64::try_from(seq).unwrap_or(i64::MAX);
        let (pivot, older) = match (self.before, self.after, self.around) {
            (None, None, None) => (i64::MAX, limit),
            (Some(before), None, None) => (place(before), limit),
            (None, Some(after), None) => (place(after).saturating_add(1), 0),
            (None, None, Some(around)) => (place(around), limit / 2),
            _ => {
                return Err(Refusal::new(
                    ErrorCode::BadRequest,
                    "give only one of before, after and around",
                ));
            }
        };
        Ok(Window {
            pivot,
            older,
            newer: limit - older,
        })
    }
}

/// Messages on both sides of the pivot, the nearest first, and one more each if there is one.
async fn rows(
    pool: &PgPool,
    room: RoomId,
    window: &Window,
) -> Result<(Vec<Sealed>, Vec<Sealed>), sqlx::Error> {
    let with_one_more = |count: usize| i64::try_from(count + 1).unwrap_or(i64::MAX);
    let rows: Vec<(bool, Json<Sealed>)> = sqlx::query_as(concat!(
        "(select false, ",
        message_json!(),
        " from messages m
          where m.room_id = $1 and m.seq < $2
          order by m.seq desc
          limit $3)
         union all
         (select true, ",
        message_json!(),
        " from messages m
          where m.room_id = $1 and m.seq >= $2
          order by m.seq
          limit $4)",
    ))
    .bind(room.as_uuid())
    .bind(window.pivot)
    .bind(with_one_more(window.older))
    .bind(with_one_more(window.newer))
    .fetch_all(pool)
    .await?;
    let (mut older, mut newer) = (Vec::new(), Vec::new());
    for (is_newer, Json(message)) in rows {
        if is_newer {
            newer.push(message);
        } else {
            older.push(message);
        }
    }
    older.sort_unstable_by_key(|message| std::cmp::Reverse(message.seq()));
    newer.sort_unstable_by_key(Sealed::seq);
    Ok((older, newer))
}

async fn head(pool: &PgPool, room: RoomId) -> Result<u64, sqlx::Error> {
    let seq: Option<i64> =
        sqlx::query_scalar("select seq from messages where room_id = $1 order by seq desc limit 1")
            .bind(room.as_uuid())
            .fetch_optional(pool)
            .await?;
    Ok(seq.unwrap_or_default().unsigned_abs())
}
