//! How far people have read. A marker only moves forward, and not past what was said.

use std::time::Duration;

use doran_contract::{
    RoomId, UserId, command::MoveReadMarker, events::ReadMarkerMoved, id, subject,
};
use doran_eventstore::{CommandContext, Position};
use doran_platform::http::Refusal;
use moka::sync::Cache;
use sqlx::PgPool;
use tokio::time::timeout;

use super::append::append;
use crate::state::Service;

/// Markers that are remembered.
const REMEMBERED: u64 = 100_000;
/// What PostgreSQL may take to say where a marker stood.
const DEADLINE: Duration = Duration::from_millis(250);

/// Where markers stand, as far as this process knows. Cheap to clone.
///
/// Nobody guards them: of two moves at once the read model keeps the greater.
#[derive(Clone)]
pub(crate) struct Markers {
    recent: Cache<(RoomId, UserId), u64>,
    pool: PgPool,
}

/// Where the marker stands after a move.
#[derive(Debug)]
pub(crate) struct Moved {
    pub(crate) seq: u64,
    /// None if it did not move.
    pub(crate) position: Option<Position>,
}

impl Markers {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self {
            recent: Cache::new(REMEMBERED),
            pool,
        }
    }

    /// Where it stands; 0 also where that cannot be learnt in time.
    async fn find(&self, room: RoomId, user: UserId) -> u64 {
        if let Some(seq) = self.recent.get(&(room, user)) {
            return seq;
        }
        match timeout(DEADLINE, self.look_up(room, user)).await {
            Ok(Ok(seq)) => {
                self.note(room, user, seq);
                seq
            }
            Ok(Err(error)) => unknown(&error),
            Err(elapsed) => unknown(&elapsed),
        }
    }

    fn note(&self, room: RoomId, user: UserId, seq: u64) {
        self.recent
            .entry((room, user))
            .and_upsert_with(|known| known.map_or(seq, |known| known.into_value().max(seq)));
    }

    /// Where it stands in the read model.
    pub(crate) async fn look_up(&self, room: RoomId, user: UserId) -> Result<u64, sqlx::Error> {
        let seq: Option<i64> =
            sqlx::query_scalar("select seq from read_markers where room_id = $1 and user_id = $2")
                .bind(room.as_uuid())
                .bind(user.as_uuid())
                .fetch_optional(&self.pool)
                .await?;
        Ok(seq.unwrap_or_default().unsigned_abs())
    }
}

fn unknown(error: &dyn std::error::Error) -> u64 {
    tracing::debug!(%error, "a read marker moves without looking where it stood");
    0
}

/// Moves the marker of a member, if that is forward.
///
/// The command id of `ctx` is not used: the same move again is the same event.
pub(crate) async fn move_marker(
    service: &Service,
    wanted: MoveReadMarker,
    ctx: CommandContext,
) -> Result<Moved, Refusal> {
    let MoveReadMarker {
        user_id,
        room_id,
        seq,
    } = wanted;
    service.require_member(room_id, user_id).await?;
    let last = subject::message(room_id, "MessageSent");
    let head = service.message_log.last(&last).await?;
    let seq = seq.min(head.map_or(0, |event| event.sequence));
    let known = service.markers.find(room_id, user_id).await;
    if seq <= known {
        return Ok(Moved {
            seq: known,
            position: None,
        });
    }
    let moved = ReadMarkerMoved {
        room_id,
        user_id,
        seq,
    };
    let position = store(service, moved, ctx).await?;
    service.markers.note(room_id, user_id, seq);
    Ok(Moved {
        seq,
        position: Some(position),
    })
}

async fn store(
    service: &Service,
    moved: ReadMarkerMoved,
    ctx: CommandContext,
) -> Result<Position, Refusal> {
    let actor = moved.user_id.to_string();
    let route = format!("MoveReadMarker/{}", moved.room_id);
    let ctx = CommandContext {
        command_id: id::command_id(&actor, &route, &moved.seq.to_string()),
        expected_sequence: None,
        ..ctx
    };
    let appended = append(service, moved.room_id, moved, &ctx).await?;
    Ok(Position::new(appended.stream, appended.sequence))
}
