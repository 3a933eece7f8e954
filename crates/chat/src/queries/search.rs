//! `GET /api/chat/search`: messages that hold what was asked for, in rooms one is a member of.

use std::collections::HashMap;

use axum::extract::State;
use doran_contract::{
    Page, RoomId, UserId,
    message::{Message, SearchHit},
};
use doran_platform::http::{Actor, Limit, Query, Refusal, Success, UpToDate};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;
use sqlx::{
    AssertSqlSafe,
    types::{Json, Uuid},
};

use super::message_row::message_columns;
use crate::{
    messages::{Sealed, open_all},
    search::Terms,
    state::Service,
};

const MY_ROOMS: &str = "
    select r.id, r.name
    from members b
    join rooms r on r.id = b.room_id
    where b.user_id = $1
        and ($2::uuid is null or b.room_id = $2)";

/// One room's part of the candidates. Its two last parameters are the room and the tokens.
///
/// Each room is asked on its own, with its tokens as a parameter: PostgreSQL chooses by how common
/// they are whether to look them up or to walk back through the room.
fn candidates_of_room(place: usize) -> String {
    let (room, tokens) = (2 * place + FIRST_ROOM, 2 * place + FIRST_ROOM + 1);
    format!(
        "(
            select t.message_id, t.seq
            from message_tokens t
            where t.tokens @> ${tokens}
                and t.room_id = ${room}
                and t.seq < $1
                and ($2::uuid is null or t.sender_id = $2)
                and ($5::boolean is null or t.has_file = $5)
            order by t.seq desc
            limit $3
        )"
    )
}

/// $1 before, $2 sender or null, $3 limit, $4 who searches, $5 with a file or null; from $6 on two for
/// each room.
fn candidates(rooms: usize) -> String {
    let parts: Vec<_> = (0..rooms).map(candidates_of_room).collect();
    format!(
        "select to_json(c)
        from (
            select message_id, seq from ({}) every_room order by seq desc limit $3
        ) t
        cross join lateral (select {} from messages m where m.id = t.message_id) c
        order by t.seq desc",
        parts.join(" union all "),
        message_columns!("$4"),
    )
}

/// The first parameter of a room.
const FIRST_ROOM: usize = 6;
/// Rooms that one statement asks.
const ROOMS_AT_ONCE: usize = 100;
/// Candidates that are opened at once, at most. Nearly all are hits, so fewer are looked at first.
const BATCH: usize = 200;
/// Candidates that one request opens at most; the next page goes on behind them.
const MOST_OPENED: usize = 5_000;
/// Among so many of the newest hits the best are looked for.
const RANKED: usize = 500;

#[derive(Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    #[garde(length(chars, max = 100), custom(searchable))]
    q: String,
    room_id: Option<RoomId>,
    from: Option<UserId>,
    has_file: Option<bool>,
    /// Only messages before this `seq`.
    before: Option<u64>,
    #[serde(default)]
    sort: Sort,
    #[garde(dive)]
    #[serde(default)]
    limit: Limit,
    /// Where the page before ended: a `seq`, or with `sort=rank` a count of hits.
    cursor: Option<u64>,
}

#[derive(Clone, Copy, Default, Deserialize, JsonSchema)]
#[schemars(inline)]
#[serde(rename_all = "lowercase")]
enum Sort {
    #[default]
    Recent,
    Rank,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form that garde calls"
)]
fn searchable(query: &str, (): &()) -> garde::Result {
    Terms::of(query)
        .map(|_terms| ())
        .ok_or_else(|| garde::Error::new("must hold a letter or a digit"))
}

pub(crate) async fn search(
    State(service): State<Service>,
    actor: Actor,
    _: UpToDate,
    Query(request): Query<Request>,
) -> Result<Success<Page<SearchHit>>, Refusal> {
    if let Some(room) = request.room_id {
        service.require_member(room, actor.user_id).await?;
    }
    let search = Search::prepare(&service, actor.user_id, &request).await?;
    let limit = usize::try_from(request.limit.get()).unwrap_or(usize::MAX);
    Ok(Success::ok(match request.sort {
        Sort::Recent => search.recent(request.cursor, limit).await?,
        Sort::Rank => search.ranked(request.cursor, limit).await?,
    }))
}

/// One search of one person.
struct Search<'a> {
    service: &'a Service,
    person: UserId,
    request: &'a Request,
    terms: Terms,
    room_names: HashMap<RoomId, String>,
    /// The rooms, and the tokens that their messages must have.
    wanted: Vec<(Uuid, Vec<i64>)>,
}

/// What was found, newest first.
struct Found {
    hits: Vec<SearchHit>,
    /// Where to go on looking; none if everything was looked at.
    rest: Option<u64>,
}

impl<'a> Search<'a> {
    async fn prepare(
        service: &'a Service,
        person: UserId,
        request: &'a Request,
    ) -> Result<Self, Refusal> {
        let rooms: Vec<(Uuid, String)> = sqlx::query_as(MY_ROOMS)
            .bind(person.as_uuid())
            .bind(request.room_id.map(RoomId::as_uuid))
            .fetch_all(&service.pool)
            .await?;
        let room_names: HashMap<_, _> = rooms
            .into_iter()
            .map(|(id, name)| (RoomId::new(id), name))
            .collect();
        let terms = Terms::of(&request.q).unwrap_or_default();
        let blinder = &service.platform.blinder;
        let wanted = room_names
            .keys()
            .map(|room| (room.as_uuid(), terms.tokens(blinder, *room)));
        Ok(Self {
            service,
            person,
            request,
            wanted: wanted.collect(),
            terms,
            room_names,
        })
    }

    async fn recent(&self, cursor: Option<u64>, limit: usize) -> Result<Page<SearchHit>, Refusal> {
        let Found { mut hits, rest } = self.newest(cursor, limit + 1).await?;
        let has_more = hits.len() > limit;
        hits.truncate(limit);
        let last = hits.last().map(|hit| hit.message.seq);
        let next = if has_more { last } else { rest };
        Ok(Page {
            items: hits,
            next_cursor: next.map(|seq| seq.to_string()),
        })
    }

    /// Best first: those that hold the terms most often, the newest of equal ones.
    async fn ranked(&self, cursor: Option<u64>, limit: usize) -> Result<Page<SearchHit>, Refusal> {
        let mut hits = self.newest(None, RANKED).await?.hits;
        hits.sort_by_key(|hit| std::cmp::Reverse((hit.highlights.len(), hit.message.seq)));
        let from = cursor.map_or(0, |from| usize::try_from(from).unwrap_or(usize::MAX));
        let end = from.saturating_add(limit);
        let next_cursor = (end < hits.len()).then(|| end.to_string());
        Ok(Page {
            items: hits.into_iter().skip(from).take(limit).collect(),
            next_cursor,
        })
    }

    /// Up to `most` hits before `cursor`, newest first.
    async fn newest(&self, cursor: Option<u64>, most: usize) -> Result<Found, Refusal> {
        let mut hits = Vec::new();
        let mut before = [cursor, self.request.before].into_iter().flatten().min();
        let (mut batch, mut looked_at) = ((most + most / 4).min(BATCH), 0);
        while looked_at < MOST_OPENED {
            let candidates = self.candidates(before, batch).await?;
            let is_end = candidates.len() < batch;
            looked_at += batch;
            batch = BATCH.min(MOST_OPENED - looked_at);
            before = candidates.last().map(Sealed::seq);
            let opened = open_all(&self.service.platform.keyring, candidates).await?;
            hits.extend(opened.into_iter().filter_map(|message| self.hit(message)));
            if is_end || hits.len() >= most {
                hits.truncate(most);
                return Ok(Found { hits, rest: None });
            }
        }
        Ok(Found { hits, rest: before })
    }

    async fn candidates(
        &self,
        before: Option<u64>,
        most: usize,
    ) -> Result<Vec<Sealed>, sqlx::Error> {
        let before = before.and_then(|seq| i64::try_from(seq).ok());
        let mut found = Vec::new();
        for rooms in self.wanted.chunks(ROOMS_AT_ONCE) {
            // Planned for these very tokens each time.
            let mut asked = sqlx::query_scalar(AssertSqlSafe(candidates(rooms.len())))
                .persistent(false)
                .bind(before.unwrap_or(i64::MAX))
                .bind(self.request.from.map(UserId::as_uuid))
                .bind(i64::try_from(most).unwrap_or(i64::MAX))
                .bind(self.person.as_uuid())
                .bind(self.request.has_file);
            for (room, tokens) in rooms {
                asked = asked.bind(room).bind(tokens);
            }
            let rows: Vec<Json<Sealed>> = asked.fetch_all(&self.service.pool).await?;
            found.extend(rows.into_iter().map(|Json(message)| message));
        }
        found.sort_by_key(|message| std::cmp::Reverse(message.seq()));
        found.truncate(most);
        Ok(found)
    }

    /// The hit that a candidate is, if it is one and the person is still in its room.
    fn hit(&self, message: Message) -> Option<SearchHit> {
        let members = self.service.directory.look(message.room_id, |room| {
            room.members.contains_key(&self.person)
        });
        let highlights = self.terms.highlights(message.content.as_deref()?)?;
        let room_name = self.room_names.get(&message.room_id)?.clone();
        members.unwrap_or_default().then_some(SearchHit {
            message,
            room_name,
            highlights,
        })
    }
}
