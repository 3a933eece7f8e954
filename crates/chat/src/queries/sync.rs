//! `GET /api/chat/sync`: where every room of a person stands, in one call after a long absence.

use axum::extract::State;
use doran_contract::{
    RoomId,
    room::{RoomSync, Sync},
};
use doran_platform::http::{Actor, Query, Refusal, Success, UpToDate};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;
use sqlx::types::chrono::{DateTime, Utc};

use super::room_row::{RoomRow, open};
use crate::state::Service;

#[derive(Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
#[garde(allow_unvalidated)]
pub(crate) struct Request {
    /// Only rooms in which something happened since then; without it all.
    since: Option<DateTime<Utc>>,
    /// Only this room.
    room_id: Option<RoomId>,
}

#[derive(Debug, thiserror::Error)]
#[error("the stream of messages has no incarnation")]
struct NoIncarnation;

pub(crate) async fn sync(
    State(service): State<Service>,
    actor: Actor,
    _: UpToDate,
    Query(Request { since, room_id }): Query<Request>,
) -> Result<Success<Sync>, Refusal> {
    let epoch = service.message_log.incarnation().await?;
    let epoch = epoch.ok_or_else(|| Refusal::internal(&NoIncarnation))?;
    let rows = RoomRow::since(&service.pool, actor.user_id, room_id, since).await?;
    let places: Vec<_> = rows
        .iter()
        .map(|row| (row.head(), row.read_seq()))
        .collect();
    let rooms = open(&service.platform.keyring, rows).await?;
    let rooms = rooms.into_iter().zip(places);
    let rooms = rooms.map(|(room, (head, read_seq))| RoomSync {
        room_id: room.id,
        epoch: epoch.clone(),
        head,
        read_seq,
        unread_count: room.unread_count,
        mention_count: room.mention_count,
        last_message: room.last_message,
    });
    Ok(Success::ok(Sync {
        rooms: rooms.collect(),
    }))
}
