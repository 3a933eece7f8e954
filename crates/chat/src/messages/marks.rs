//! How messages stand, as far as this process remembers it or PostgreSQL tells.
//!
//! It spares events that would change nothing. It does not guard: of two changes at once both may
//! be stored, and all readers go by the order in which they lie.

use std::time::Duration;

use doran_contract::{MessageId, UserId, events::MessageEvent, message::Emoji};
use sqlx::PgPool;
use tokio::time::timeout;

use super::{Known, Place};

/// What PostgreSQL may take to say how an older message stands.
const DEADLINE: Duration = Duration::from_millis(250);

/// Something about a message that is so or is not so.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Aspect {
    Edited(MessageId),
    Deleted(MessageId),
    Pinned(MessageId),
    Reacted(MessageId, UserId, Emoji),
}

/// How it stands, and since which event; 0 if that is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) is_on: bool,
    pub(crate) seq: u64,
}

impl Mark {
    pub(crate) const fn never() -> Self {
        Self {
            is_on: false,
            seq: 0,
        }
    }
}

impl Aspect {
    /// What an event says of which aspect; nothing if it changes no message.
    pub(crate) fn of(event: &MessageEvent) -> Option<(Self, bool)> {
        match event {
            MessageEvent::MessageSent(_)
            | MessageEvent::ReadMarkerMoved(_)
            | MessageEvent::RoomMessagesPurged(_)
            | MessageEvent::MessagesArchived(_)
            | MessageEvent::AuthorErased(_) => None,
            MessageEvent::MessageEdited(edited) => Some((Self::Edited(edited.message_id), true)),
            MessageEvent::MessageDeleted(gone) => Some((Self::Deleted(gone.message_id), true)),
            MessageEvent::MessagePinned(pinned) => Some((Self::Pinned(pinned.message_id), true)),
            MessageEvent::MessageUnpinned(pinned) => Some((Self::Pinned(pinned.message_id), false)),
            MessageEvent::ReactionAdded(added) => {
                let emoji = added.emoji.clone();
                Some((Self::Reacted(added.message_id, added.user_id, emoji), true))
            }
            MessageEvent::ReactionRemoved(removed) => {
                let (message, user) = (removed.message_id, removed.user_id);
                Some((Self::Reacted(message, user, removed.emoji.clone()), false))
            }
        }
    }

    async fn look_up(&self, pool: &PgPool) -> Result<Mark, sqlx::Error> {
        let row: Option<(bool, i64)> = match self {
            Self::Edited(id) => {
                let sql = "select edited_at is not null, content_seq from messages where id = $1";
                let query = sqlx::query_as(sql).bind(id.as_uuid());
                query.fetch_optional(pool).await?
            }
            Self::Deleted(id) => {
                let sql = "select deleted, 0::bigint from messages where id = $1";
                let query = sqlx::query_as(sql).bind(id.as_uuid());
                query.fetch_optional(pool).await?
            }
            Self::Pinned(id) => {
                let sql = "select pinned, pin_seq from messages where id = $1";
                let query = sqlx::query_as(sql).bind(id.as_uuid());
                query.fetch_optional(pool).await?
            }
            Self::Reacted(id, user, emoji) => {
                let sql = "select true, seq from reactions
                    where message_id = $1 and user_id = $2 and emoji = $3";
                let query = sqlx::query_as(sql).bind(id.as_uuid()).bind(user.as_uuid());
                query.bind(emoji.as_ref()).fetch_optional(pool).await?
            }
        };
        let (is_on, seq) = row.unwrap_or_default();
        Ok(Mark {
            is_on,
            seq: seq.unsigned_abs(),
        })
    }
}

/// How an aspect of the message at `place` stands. What cannot be learnt in time is not so: an
/// event more than is needed changes nothing.
pub(crate) async fn mark(known: &Known, pool: &PgPool, aspect: Aspect, place: Place) -> Mark {
    if let Some(mark) = known.mark(&aspect, place.seq) {
        return mark;
    }
    match timeout(DEADLINE, aspect.look_up(pool)).await {
        Ok(Ok(mark)) => {
            known.note_mark(aspect, mark);
            mark
        }
        Ok(Err(error)) => unknown(&error),
        Err(elapsed) => unknown(&elapsed),
    }
}

fn unknown(error: &dyn std::error::Error) -> Mark {
    tracing::debug!(%error, "a message is changed without looking how it stands");
    Mark::never()
}
