//! A room as one reader sees it, with its newest message and what they have not read.
//!
//! What is unread begins after the read marker, or after the last message before they joined,
//! whichever is later; what they said themselves does not count. Messages are numbered in their
//! room and by sender, so it is a difference and nothing is counted.

use doran_contract::{
    RoomId, UserId,
    room::{Room, RoomKind, RoomRole, RoomStatus, Visibility},
};
use doran_platform::{http::Refusal, keyring::Keyring};
use serde::de::{DeserializeOwned, IntoDeserializer, value};
use serde_json::json;
use sqlx::types::{
    Json, Uuid,
    chrono::{DateTime, Utc},
};

use crate::messages::{Sealed, open_all};

/// Columns and joins for the reader `$1`; a condition on `r` and `me` follows.
macro_rules! select_rooms {
    () => {
        concat!(
            "select
                r.id, r.name, r.description, r.kind, r.visibility, r.owner_id, r.member_count,
                r.version, r.created_at, r.updated_at, me.role, last.message,
                activity.at as activity,
                coalesce(
                    last.number - coalesce(mark.number, 0)
                        - (coalesce(own.number, 0) - coalesce(own_mark.number, 0)),
                    0
                ) as unread,
                (
                    select count(*)
                    from mentions t
                    where t.user_id = $1 and t.room_id = r.id and t.seq > mark.seq
                ) as mentioned
             from rooms r
             left join members me on me.room_id = r.id and me.user_id = $1
             left join lateral (
                select m.number, m.created_at, ",
            $crate::queries::message_json::message_json!(),
            " as message
                from messages m
                where m.room_id = r.id and me.user_id is not null
                order by m.seq desc
                limit 1
             ) last on true
             left join lateral (
                select greatest(
                    coalesce((
                        select k.seq
                        from read_markers k
                        where k.room_id = r.id and k.user_id = $1
                    ), 0),
                    coalesce((
                        select j.seq
                        from messages j
                        where j.room_id = r.id and j.created_at < me.joined_at
                        order by j.created_at desc, j.seq desc
                        limit 1
                    ), 0)
                ) as seq
             ) read on true
             left join lateral (
                select read.seq, (
                    select m.number
                    from messages m
                    where m.room_id = r.id and m.seq <= read.seq
                    order by m.seq desc
                    limit 1
                ) as number
             ) mark on true
             left join lateral (
                select m.sender_number as number
                from messages m
                where m.room_id = r.id and m.sender_id = me.user_id
                order by m.seq desc
                limit 1
             ) own on true
             left join lateral (
                select m.sender_number as number
                from messages m
                where m.room_id = r.id and m.sender_id = me.user_id and m.seq <= read.seq
                order by m.seq desc
                limit 1
             ) own_mark on true
             cross join lateral (
                select (extract(epoch from coalesce(last.created_at, r.created_at))
                    * 1000000)::bigint as at
             ) activity
             "
        )
    };
}
pub(super) use select_rooms;

#[derive(sqlx::FromRow)]
pub(super) struct RoomRow {
    id: Uuid,
    name: String,
    description: Option<String>,
    kind: String,
    visibility: String,
    owner_id: Uuid,
    member_count: i32,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    role: Option<String>,
    message: Option<Json<Sealed>>,
    /// Microseconds since 1970 of the newest message, else of the creation.
    activity: i64,
    unread: i64,
    mentioned: i64,
}

#[derive(Debug, thiserror::Error)]
#[error("the read model holds a word that is not of the contract")]
struct UnknownWord(#[source] value::Error);

impl RoomRow {
    /// Sequence of the room's newest event, for `ETag`.
    pub(super) fn version(&self) -> u64 {
        self.version.unsigned_abs()
    }

    pub(super) fn cursor(&self) -> String {
        format!("{}_{}", self.activity, self.id)
    }
}

/// Opens rooms in their order.
pub(super) async fn open_rooms(
    keyring: &Keyring,
    rows: Vec<RoomRow>,
) -> Result<Vec<Room>, Refusal> {
    let mut rooms = Vec::with_capacity(rows.len());
    for mut row in rows {
        let sealed: Vec<_> = row
            .message
            .take()
            .map(|Json(message)| message)
            .into_iter()
            .collect();
        let last = open_all(keyring, sealed).await?.pop();
        let mut room = room(row)?;
        room.last_message_at = last.as_ref().map(|message| message.created_at);
        room.last_message = last;
        rooms.push(room);
    }
    Ok(rooms)
}

fn room(row: RoomRow) -> Result<Room, Refusal> {
    Ok(Room {
        id: RoomId::new(row.id),
        name: row.name,
        description: row.description,
        kind: word::<RoomKind>(&row.kind)?,
        visibility: word::<Visibility>(&row.visibility)?,
        owner_id: UserId::new(row.owner_id),
        bot_id: None,
        settings: json!({}),
        member_count: row.member_count.unsigned_abs(),
        role: row.role.as_deref().map(word::<RoomRole>).transpose()?,
        status: RoomStatus::Active,
        last_message: None,
        last_message_at: None,
        unread_count: count(row.unread),
        mention_count: count(row.mentioned),
        created_at: row.created_at.into(),
        updated_at: row.updated_at.into(),
    })
}

/// Reads a value of the contract as the events wrote it.
pub(super) fn word<T: DeserializeOwned>(text: &str) -> Result<T, Refusal> {
    T::deserialize(text.into_deserializer()).map_err(|error| Refusal::internal(&UnknownWord(error)))
}

fn count(number: i64) -> u32 {
    u32::try_from(number.max(0)).unwrap_or(u32::MAX)
}
