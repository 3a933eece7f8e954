//! `GET /api/chat/rooms/{id}/messages`: a piece of a room's history, oldest first.

use axum::extract::State;
use doran_contract::{ErrorCode, RoomId, UserId, message::HistoryPage};
use doran_platform::http::{Actor, Id, Limit, Query, Refusal, Success, UpToDate};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;
use sqlx::{PgExecutor, PgPool, types::Json};

use super::message_row::message_columns;
use crate::{
    messages::{Sealed, open_all},
    state::Service,
};

/// A page of `$3` messages of the room `$1` on one side of `$2`, as `$4` sees them: an array in the
/// order of reading, beside the sequences of the room's first and last message and of its
/// timeline's newest event. All of it is of one moment, so that a client that goes on live from the
/// head has every reaction once.
///
/// No page is longer than the inner limit. PostgreSQL takes an unknown limit alone for a tenth of the
/// table, and so would plan anew for every page.
macro_rules! page {
    ($is_beyond:literal, $order:literal) => {
        concat!(
            "select
                coalesce(min(m.seq), 0), coalesce(max(m.seq), 0),
                coalesce((select t.head from timelines t where t.room_id = $1), 0),
                (
                    select coalesce(json_agg(p), '[]')
                    from (
                        select w.* from (select ",
            message_columns!("$4"),
            " from messages m
                            where m.room_id = $1
                                and m.seq ",
            $is_beyond,
            " $2
                                and not m.archived
                            order by m.seq ",
            $order,
            "
                            limit 100
                        ) w
                        limit $3
                    ) p
                )
            from messages m
            where m.room_id = $1
                and not m.archived"
        )
    };
}

const BACKWARD: &str = page!("<", "desc");
const FORWARD: &str = page!(">", "asc");

/// For a page of two.
const ONE_MOMENT: &str = "begin isolation level repeatable read read only";

/// At most one of `before`, `after` and `around`; the newest page without any.
#[derive(Deserialize, JsonSchema, Validate)]
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
    let reader = Reader {
        room: room_id,
        person: actor.user_id,
    };
    let page = reader.read(&service.pool, anchor, request.limit.get());
    let Page {
        first,
        last,
        head,
        messages,
    } = page.await?;
    let (has_before, has_after) = match (messages.first(), messages.last()) {
        (Some(oldest), Some(newest)) => (first < oldest.seq(), last > newest.seq()),
        _ => anchor.around_nothing(last),
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
    fn around_nothing(self, last: u64) -> (bool, bool) {
        let is_empty = last == 0;
        match self {
            Self::Newest | Self::Around(_) => (false, false),
            Self::Before(_) => (false, !is_empty),
            Self::After(_) => (!is_empty, false),
        }
    }
}

/// Whose page of which room is read.
#[derive(Clone, Copy)]
struct Reader {
    room: RoomId,
    person: UserId,
}

/// Messages, oldest first, and how far their room reaches.
struct Page {
    first: u64,
    last: u64,
    head: u64,
    messages: Vec<Sealed>,
}

impl Reader {
    async fn read(self, pool: &PgPool, anchor: Anchor, limit: i64) -> Result<Page, sqlx::Error> {
        match anchor {
            Anchor::Newest => self.backward(pool, i64::MAX, limit).await,
            Anchor::Before(seq) => self.backward(pool, seq, limit).await,
            Anchor::After(seq) => self.fetch(pool, FORWARD, seq, limit).await,
            Anchor::Around(seq) => {
                let newer = limit / 2;
                let older = limit - newer;
                let mut tx = pool.begin_with(ONE_MOMENT).await?;
                let mut page = self
                    .backward(&mut *tx, seq.saturating_add(1), older)
                    .await?;
                let after = self.fetch(&mut *tx, FORWARD, seq, newer).await?;
                tx.commit().await?;
                page.messages.extend(after.messages);
                Ok(page)
            }
        }
    }

    async fn backward(
        self,
        database: impl PgExecutor<'_>,
        before: i64,
        limit: i64,
    ) -> Result<Page, sqlx::Error> {
        let mut page = self.fetch(database, BACKWARD, before, limit).await?;
        page.messages.reverse();
        Ok(page)
    }

    async fn fetch(
        self,
        database: impl PgExecutor<'_>,
        sql: &'static str,
        seq: i64,
        limit: i64,
    ) -> Result<Page, sqlx::Error> {
        let page: (i64, i64, i64, Json<Vec<Sealed>>) = sqlx::query_as(sql)
            .bind(self.room.as_uuid())
            .bind(seq)
            .bind(limit)
            .bind(self.person.as_uuid())
            .fetch_one(database)
            .await?;
        let (first, last, head, Json(messages)) = page;
        Ok(Page {
            first: first.unsigned_abs(),
            last: last.unsigned_abs(),
            head: head.unsigned_abs(),
            messages,
        })
    }
}

/// No sequence is that large: everything is before it.
fn signed(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use doran_contract::message::Message;
    use proptest::prop_assert_eq;

    use super::*;
    use crate::read_side::tests::{Said, hold_for_all, room_id, user_id};

    /// Emoji, how many, and whether the reader is one of them.
    fn reactions(said: &Said, reader: u8) -> BTreeMap<String, (u32, bool)> {
        let mut counted = BTreeMap::new();
        for (user, emoji) in &said.reactions {
            let (count, me) = counted.entry((*emoji).to_owned()).or_insert((0, false));
            *count += 1;
            *me |= *user == reader;
        }
        counted
    }

    #[test]
    fn messages_stand_as_the_order_of_their_changes_says() {
        hold_for_all(&async |tables, history, cuts| {
            tables.clear().await;
            tables.fill(history, cuts, 2).await;
            for (room, known) in &history.known {
                let reader = Reader {
                    room: room_id(*room),
                    person: user_id(1),
                };
                let page = reader
                    .read(&tables.pool, Anchor::Newest, 100)
                    .await
                    .unwrap();
                let newest = known.said.last().map_or(0, |said| said.seq);
                prop_assert_eq!((page.last, page.head), (newest, known.head));
                prop_assert_eq!(page.messages.len(), known.said.len());
                for (message, said) in page.messages.into_iter().zip(&known.said) {
                    let message: Message = message.without_text();
                    prop_assert_eq!(message.seq, said.seq);
                    prop_assert_eq!(message.deleted, said.is_deleted);
                    prop_assert_eq!(message.pinned, said.is_pinned);
                    let edited = message.edited_at.map(|at| at.as_datetime().timestamp());
                    prop_assert_eq!(edited, said.edited);
                    let found = message.reactions.into_iter();
                    let found = found.map(|known| (known.emoji.into(), (known.count, known.me)));
                    prop_assert_eq!(found.collect::<BTreeMap<_, _>>(), reactions(said, 1));
                }
            }
            Ok(())
        });
    }
}
