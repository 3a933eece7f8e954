//! The rooms of one person: with their last message, and what the person has not read of them.

use doran_contract::{
    RoomId, UserId,
    room::{Room, RoomKind, RoomRole, RoomStatus, Settings, Visibility},
};
use doran_platform::keyring::{Keyring, OpenFieldError};
use sqlx::{
    FromRow, PgPool, Postgres,
    postgres::PgArguments,
    query::QueryAs,
    types::{
        Json, Uuid,
        chrono::{DateTime, Utc},
    },
};

use super::{cursor::Cursor, message_row::message_columns};
use crate::messages::{Sealed, open_all};

/// $1 person, $2 a single room or null, $3 and $4 cursor or null, $5 limit, $6 time since when
/// something must have happened, or null.
///
/// Unread is what others said, and did not delete, after the person's read marker, and after they came: message and
/// room sequences are of two streams, so coming later than the room is compared by time. Each
/// figure is looked up in an index, however much is unread.
const MY_ROOMS: &str = concat!(
    r"
    with page as (
        select
            r.id, r.name, r.description, r.kind, r.visibility, r.owner_id, r.bot_id, r.member_count,
            r.version, r.created_at, r.updated_at, r.settings, r.status, r.is_archived, b.role,
            b.joined_at, newest.seq, newest.number,
            coalesce(newest.created_at, r.created_at) as active_at
        from members b
        join rooms r on r.id = b.room_id
        left join lateral (
            select m.seq, m.number, m.created_at
            from messages m
            where m.room_id = r.id
            order by m.seq desc
            limit 1
        ) newest on true
        where b.user_id = $1
            and ($2::uuid is null or b.room_id = $2)
            and (
                $3::timestamptz is null
                or (coalesce(newest.created_at, r.created_at), r.id) < ($3, $4::uuid)
            )
            and (
                $6::timestamptz is null
                or greatest(r.updated_at, b.joined_at) >= $6
                or exists (
                    select
                    from timelines t
                    where t.room_id = r.id
                        and t.changed_at >= $6
                )
                or exists (
                    select
                    from read_markers k
                    where k.user_id = $1
                        and k.room_id = r.id
                        and k.moved_at >= $6
                )
            )
        order by active_at desc, r.id desc
        limit $5
    )
    select
        p.id, p.name, p.description, to_jsonb(p.kind) as kind, to_jsonb(p.visibility) as visibility,
        p.owner_id, p.bot_id, p.member_count, p.version, p.created_at, p.updated_at, to_jsonb(p.role) as role,
        p.settings, to_jsonb(p.status) as status, p.is_archived, floor.read_seq,
        coalesce((select t.head from timelines t where t.room_id = p.id), 0) as head,
        p.active_at, to_json(last_message) as last_message,
        coalesce(p.number, 0) - coalesce(seen.number, 0) - coalesce(own.number, 0) - (
            select count(*)
            from messages m
            where m.room_id = p.id
                and m.seq > floor.seq
                and m.sender_id <> $1
                and m.deleted
        ) as unread_count,
        (
            select count(*)
            from mentions t
            where t.user_id = $1
                and t.room_id = p.id
                and t.seq > floor.seq
        ) as mention_count
    from page p
    left join lateral (
        select ",
    message_columns!("$1"),
    r"
        from messages m
        where m.room_id = p.id
            and m.seq = p.seq
    ) last_message on true
    cross join lateral (
        select
            coalesce(max(k.seq), 0) as read_seq
        from read_markers k
        where k.user_id = $1
            and k.room_id = p.id
    ) marker
    cross join lateral (
        select marker.read_seq, greatest(
            marker.read_seq,
            (
                select m.seq
                from messages m
                where m.room_id = p.id
                    and p.joined_at > p.created_at
                    and m.created_at <= p.joined_at
                order by m.created_at desc, m.seq desc
                limit 1
            )
        ) as seq
    ) floor
    left join lateral (
        select m.number
        from messages m
        where m.room_id = p.id
            and m.seq <= floor.seq
        order by m.seq desc
        limit 1
    ) seen on true
    left join lateral (
        select m.sender_number - coalesce(
            (
                select o.sender_number
                from messages o
                where o.room_id = p.id
                    and o.sender_id = $1
                    and o.seq <= floor.seq
                order by o.seq desc
                limit 1
            ),
            0
        ) as number
        from messages m
        where m.room_id = p.id
            and m.sender_id = $1
        order by m.seq desc
        limit 1
    ) own on true
    order by p.active_at desc, p.id desc
    "
);

#[derive(Debug, FromRow)]
pub(super) struct RoomRow {
    id: Uuid,
    name: String,
    description: Option<String>,
    kind: Json<RoomKind>,
    visibility: Json<Visibility>,
    owner_id: Uuid,
    bot_id: Option<Uuid>,
    member_count: i32,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    settings: Json<Settings>,
    status: Json<RoomStatus>,
    is_archived: bool,
    role: Json<RoomRole>,
    read_seq: i64,
    head: i64,
    active_at: DateTime<Utc>,
    last_message: Option<Json<Sealed>>,
    unread_count: i64,
    mention_count: i64,
}

impl RoomRow {
    /// The person's rooms, the one with the newest message first.
    pub(super) async fn of(
        pool: &PgPool,
        person: UserId,
        after: Option<Cursor>,
        limit: i64,
    ) -> Result<Vec<Self>, sqlx::Error> {
        my_rooms(person, None, after, limit, None)
            .fetch_all(pool)
            .await
    }

    /// All rooms of the person, or one, in which something happened since then.
    pub(super) async fn since(
        pool: &PgPool,
        person: UserId,
        room: Option<RoomId>,
        since: Option<DateTime<Utc>>,
    ) -> Result<Vec<Self>, sqlx::Error> {
        let all = i64::MAX;
        my_rooms(person, room, None, all, since)
            .fetch_all(pool)
            .await
    }

    pub(super) async fn one(
        pool: &PgPool,
        person: UserId,
        room: RoomId,
    ) -> Result<Option<Self>, sqlx::Error> {
        let query = my_rooms(person, Some(room), None, 1, None);
        query.fetch_optional(pool).await
    }

    pub(super) fn head(&self) -> u64 {
        self.head.unsigned_abs()
    }

    pub(super) fn read_seq(&self) -> u64 {
        self.read_seq.unsigned_abs()
    }

    pub(super) fn cursor(&self) -> Cursor {
        Cursor {
            key: self.active_at.timestamp_micros(),
            id: self.id,
        }
    }

    pub(super) fn version(&self) -> u64 {
        self.version.unsigned_abs()
    }

    fn status(&self) -> RoomStatus {
        self.status.0.or_archived(self.is_archived)
    }

    fn into_room(self) -> Room {
        let status = self.status();
        Room {
            id: RoomId::new(self.id),
            name: self.name,
            description: self.description,
            kind: self.kind.0,
            visibility: self.visibility.0,
            owner_id: UserId::new(self.owner_id),
            bot_id: self.bot_id.map(UserId::new),
            settings: self.settings.0,
            member_count: self.member_count.unsigned_abs(),
            role: Some(self.role.0),
            status,
            last_message: None,
            last_message_at: None,
            unread_count: u32::try_from(self.unread_count).unwrap_or_default(),
            mention_count: u32::try_from(self.mention_count).unwrap_or_default(),
            created_at: self.created_at.into(),
            updated_at: self.updated_at.into(),
        }
    }
}

fn my_rooms(
    person: UserId,
    room: Option<RoomId>,
    after: Option<Cursor>,
    limit: i64,
    since: Option<DateTime<Utc>>,
) -> QueryAs<'static, Postgres, RoomRow, PgArguments> {
    sqlx::query_as(MY_ROOMS)
        .bind(person.as_uuid())
        .bind(room.map(RoomId::as_uuid))
        .bind(after.and_then(|cursor| DateTime::from_timestamp_micros(cursor.key)))
        .bind(after.map(|cursor| cursor.id))
        .bind(limit)
        .bind(since)
}

/// The rooms as the person sees them, in their order.
pub(super) async fn open(
    keyring: &Keyring,
    mut rows: Vec<RoomRow>,
) -> Result<Vec<Room>, OpenFieldError> {
    let sealed = rows
        .iter_mut()
        .filter_map(|row| row.last_message.take())
        .map(|Json(message)| message);
    let mut messages = open_all(keyring, sealed.collect())
        .await?
        .into_iter()
        .peekable();
    let with_message = |row: RoomRow| {
        let mut room = row.into_room();
        room.last_message = messages.next_if(|message| message.room_id == room.id);
        room.last_message_at = room.last_message.as_ref().map(|message| message.created_at);
        room
    };
    Ok(rows.into_iter().map(with_message).collect())
}

#[cfg(test)]
mod tests {
    use proptest::{prop_assert, prop_assert_eq};

    use super::*;
    use crate::read_side::tests::{KnownRoom, Said, hold_for_all, room_id, user_id};

    /// Unread messages and mentions, counted one by one.
    fn counted(room: &KnownRoom, user: u8) -> (i64, i64) {
        let marker = room.markers.get(&user).copied().unwrap_or_default();
        let joined = room.members[&user];
        let is_unread = |said: &&Said| {
            said.sender != user && said.seq > marker && said.tick > joined && !said.is_deleted
        };
        let unread: Vec<_> = room.said.iter().filter(is_unread).collect();
        let mentions = unread
            .iter()
            .filter(|said| said.mentions & (1 << user) != 0);
        let count = |number: usize| i64::try_from(number).unwrap();
        (count(unread.len()), count(mentions.count()))
    }

    #[test]
    fn rooms_their_order_and_what_is_unread_agree_with_counting() {
        hold_for_all(&async |tables, history, cuts| {
            tables.clear().await;
            tables.fill(history, cuts, 1).await;
            for user in 0..4 {
                let rows = RoomRow::of(&tables.pool, user_id(user), None, 100).await;
                let rows = rows.unwrap();
                let mine = |(_, known): &(&u8, &KnownRoom)| known.members.contains_key(&user);
                let expected: Vec<_> = history.known.iter().filter(mine).collect();
                prop_assert_eq!(rows.len(), expected.len());
                for (room, known) in expected {
                    let row = rows.iter().find(|row| row.id == room_id(*room).as_uuid());
                    let row = row.unwrap();
                    let members = row.member_count.unsigned_abs() as usize;
                    prop_assert_eq!(members, known.members.len());
                    let counts = (row.unread_count, row.mention_count);
                    prop_assert_eq!(counts, counted(known, user));
                    prop_assert_eq!(row.role.0, known.roles[&user]);
                    prop_assert_eq!(row.status(), known.status());
                    prop_assert_eq!(row.visibility.0, known.visibility);
                    prop_assert_eq!(&row.settings.0, &known.settings);
                    prop_assert_eq!(row.head(), known.head);
                    let marker = known.markers.get(&user).copied().unwrap_or_default();
                    prop_assert_eq!(row.read_seq(), marker);
                    let last = row.last_message.as_ref().map(|Json(last)| last.seq());
                    prop_assert_eq!(last, known.said.last().map(|said| said.seq));
                }
                prop_assert!(rows.is_sorted_by(|a, b| a.active_at >= b.active_at));
            }
            Ok(())
        });
    }
}
