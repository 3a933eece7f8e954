//! `GET /api/chat/rooms/{id}/members`: who is in a room, in the order in which they came.

use axum::extract::State;
use doran_contract::{
    Page, RoomId, Sealed, UserId,
    room::{Member, PresenceState, RoomRole},
};
use doran_platform::{
    Platform,
    http::{Actor, Id, Limit, Query, Refusal, Success, UpToDate},
    profile::{Name, SealedName},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;
use sqlx::{
    FromRow,
    types::{
        Json, Uuid,
        chrono::{DateTime, Utc},
    },
};

use super::cursor::{Cursor, page};
use crate::state::Service;

/// People whose names are opened at once.
const MAX_PEOPLE_IN_FLIGHT: usize = 16;

const MEMBERS: &str = "
    select
        b.user_id, to_jsonb(b.role) as role, b.joined_sequence, b.joined_at,
        p.subject, p.event_id, p.name, p.picture
    from members b
    left join people p on p.id = b.user_id
    where b.room_id = $1
        and ($2::bigint is null or (b.joined_sequence, b.user_id) > ($2, $3::uuid))
    order by b.joined_sequence, b.user_id
    limit $4";

#[derive(Deserialize, JsonSchema, Validate)]
pub(crate) struct Request {
    #[garde(dive)]
    #[serde(default)]
    limit: Limit,
    #[garde(skip)]
    cursor: Option<Cursor>,
}

#[derive(FromRow)]
struct Row {
    user_id: Uuid,
    role: Json<RoomRole>,
    joined_sequence: i64,
    joined_at: DateTime<Utc>,
    /// None, like what follows, of people who are newer than their read model: another stream
    /// feeds it. The log knows them.
    subject: Option<String>,
    event_id: Option<Uuid>,
    name: Option<Json<Sealed>>,
    picture: Option<Json<Sealed>>,
}

pub(crate) async fn list_members(
    State(service): State<Service>,
    actor: Actor,
    Id(room_id): Id<RoomId>,
    _: UpToDate,
    Query(Request { limit, cursor }): Query<Request>,
) -> Result<Success<Page<Member>>, Refusal> {
    service.require_member(room_id, actor.user_id).await?;
    let rows: Vec<Row> = sqlx::query_as(MEMBERS)
        .bind(room_id.as_uuid())
        .bind(cursor.map(|cursor| cursor.key))
        .bind(cursor.map(|cursor| cursor.id))
        .bind(limit.get() + 1)
        .fetch_all(&service.pool)
        .await?;
    let Page { items, next_cursor } = page(rows, limit.get(), Row::cursor, |row| row);
    let people: Vec<_> = items.iter().map(|row| UserId::new(row.user_id)).collect();
    let presences = service.presence(&people).await;
    let items = stream::iter(items.into_iter().zip(presences))
        .map(|(row, presence)| row.open(&service.platform, presence.state))
        .buffered(MAX_PEOPLE_IN_FLIGHT)
        .try_collect()
        .await?;
    Ok(Success::ok(Page { items, next_cursor }))
}

impl Row {
    fn cursor(&self) -> Cursor {
        Cursor {
            key: self.joined_sequence,
            id: self.user_id,
        }
    }

    async fn open(self, platform: &Platform, presence: PresenceState) -> Result<Member, Refusal> {
        let user_id = UserId::new(self.user_id);
        let Name { name, picture } = match (self.subject, self.event_id, self.name) {
            (Some(subject), Some(event_id), Some(Json(name))) => {
                let sealed = SealedName {
                    subject,
                    event_id,
                    name,
                    picture: self.picture.map(|Json(picture)| picture),
                };
                sealed.open(&platform.keyring).await?
            }
            _ => platform.profiles.name(user_id).await?,
        };
        Ok(Member {
            user_id,
            name,
            picture,
            role: self.role.0,
            joined_at: self.joined_at.into(),
            presence,
        })
    }
}
