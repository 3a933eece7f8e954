//! `GET /api/chat/rooms/public`: rooms that anybody may join, the newest first.

use axum::extract::State;
use doran_contract::{
    Page, RoomId, UserId,
    room::{Room, RoomKind, RoomRole, RoomStatus, Settings, Visibility},
};
use doran_platform::http::{Actor, Limit, Query, Refusal, Success, UpToDate};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;
use sqlx::{
    FromRow, PgPool,
    types::{
        Json, Uuid,
        chrono::{DateTime, Utc},
    },
};

use super::cursor::{Cursor, page};
use crate::state::Service;

/// Public rooms, with the role that the person $1 may have in them.
macro_rules! select_public {
    () => {
        "
        select
            r.id, r.name, r.description, to_jsonb(r.kind) as kind, r.owner_id, r.bot_id, r.member_count,
            r.version, r.created_at, r.updated_at, to_jsonb(b.role) as role, r.settings,
            to_jsonb(r.status) as status, r.is_archived
        from rooms r
        left join members b on b.room_id = r.id and b.user_id = $1
        where r.visibility = 'public'"
    };
}

const PAGE: &str = concat!(
    select_public!(),
    "
        and r.status = 'active'
        and not r.is_archived
        and ($2::text is null or strpos(lower(r.name), lower($2)) > 0)
        and ($3::timestamptz is null or (r.created_at, r.id) < ($3, $4::uuid))
    order by r.created_at desc, r.id desc
    limit $5"
);

const ONE: &str = concat!(select_public!(), " and r.id = $2");

#[derive(Deserialize, JsonSchema, Validate)]
pub(crate) struct Request {
    #[garde(inner(length(chars, max = 100)))]
    q: Option<String>,
    #[garde(dive)]
    #[serde(default)]
    limit: Limit,
    #[garde(skip)]
    cursor: Option<Cursor>,
}

/// A public room as those see it who are not in it.
#[derive(FromRow)]
pub(super) struct PublicRoom {
    id: Uuid,
    name: String,
    description: Option<String>,
    kind: Json<RoomKind>,
    owner_id: Uuid,
    bot_id: Option<Uuid>,
    member_count: i32,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    role: Option<Json<RoomRole>>,
    settings: Json<Settings>,
    status: Json<RoomStatus>,
    is_archived: bool,
}

pub(crate) async fn public_rooms(
    State(service): State<Service>,
    actor: Actor,
    _: UpToDate,
    Query(Request { q, limit, cursor }): Query<Request>,
) -> Result<Success<Page<Room>>, Refusal> {
    let rows: Vec<PublicRoom> = sqlx::query_as(PAGE)
        .bind(actor.user_id.as_uuid())
        .bind(q.as_deref().map(str::trim))
        .bind(cursor.and_then(|cursor| DateTime::from_timestamp_micros(cursor.key)))
        .bind(cursor.map(|cursor| cursor.id))
        .bind(limit.get() + 1)
        .fetch_all(&service.pool)
        .await?;
    Ok(Success::ok(page(
        rows,
        limit.get(),
        PublicRoom::cursor,
        PublicRoom::into_room,
    )))
}

impl PublicRoom {
    pub(super) async fn one(
        pool: &PgPool,
        person: UserId,
        room: RoomId,
    ) -> Result<Option<Self>, sqlx::Error> {
        sqlx::query_as(ONE)
            .bind(person.as_uuid())
            .bind(room.as_uuid())
            .fetch_optional(pool)
            .await
    }

    pub(super) fn version(&self) -> u64 {
        self.version.unsigned_abs()
    }

    fn cursor(&self) -> Cursor {
        Cursor {
            key: self.created_at.timestamp_micros(),
            id: self.id,
        }
    }

    /// What was said in it is for members, who see it among their rooms.
    pub(super) fn into_room(self) -> Room {
        Room {
            id: RoomId::new(self.id),
            name: self.name,
            description: self.description,
            kind: self.kind.0,
            visibility: Visibility::Public,
            owner_id: UserId::new(self.owner_id),
            bot_id: self.bot_id.map(UserId::new),
            settings: self.settings.0,
            member_count: self.member_count.unsigned_abs(),
            role: self.role.map(|Json(role)| role),
            status: self.status.0.or_archived(self.is_archived),
            last_message: None,
            last_message_at: None,
            unread_count: 0,
            mention_count: 0,
            created_at: self.created_at.into(),
            updated_at: self.updated_at.into(),
        }
    }
}
