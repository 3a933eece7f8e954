//! `GET /api/chat/rooms/{id}/members`: who is in a room, in the order in which they came.

use axum::extract::State;
use doran_contract::{
    Page, RoomId, Sealed, UserId,
    room::{Member, RoomRole},
};
use doran_platform::{
    http::{Actor, Id, Limit, Query, Refusal, Success, UpToDate},
    keyring::Keyring,
    profile::{Name, SealedName},
};
use garde::Validate;
use serde::Deserialize;
use sqlx::types::{
    Json, Uuid,
    chrono::{DateTime, Utc},
};

use super::room_row::word;
use crate::state::Service;

#[derive(Deserialize, Validate)]
pub(crate) struct Request {
    #[garde(dive)]
    #[serde(default)]
    limit: Limit,
    #[garde(skip)]
    cursor: Option<String>,
}

#[derive(sqlx::FromRow)]
struct MemberRow {
    user_id: Uuid,
    role: String,
    joined_sequence: i64,
    joined_at: DateTime<Utc>,
    subject: Option<String>,
    event_id: Option<Uuid>,
    name: Option<Json<Sealed>>,
    picture: Option<Json<Sealed>>,
}

pub(crate) async fn list_members(
    State(service): State<Service>,
    actor: Actor,
    _: UpToDate,
    Id(room_id): Id<RoomId>,
    Query(request): Query<Request>,
) -> Result<Success<Page<Member>>, Refusal> {
    service.require_member(room_id, actor.user_id).await?;
    let after = request
        .cursor
        .as_deref()
        .map(super::list_rooms::read_cursor)
        .transpose()?;
    let (joined, user) = after.unwrap_or((0, Uuid::nil()));
    let limit = request.limit.get();
    let mut rows: Vec<MemberRow> = sqlx::query_as(
        "select
             m.user_id, m.role, m.joined_sequence, m.joined_at,
             p.subject, p.event_id, p.name, p.picture
         from members m
         left join people p on p.id = m.user_id
         where m.room_id = $1 and (m.joined_sequence, m.user_id) > ($2, $3)
         order by m.joined_sequence, m.user_id
         limit $4",
    )
    .bind(room_id.as_uuid())
    .bind(joined)
    .bind(user)
    .bind(limit + 1)
    .fetch_all(&service.pool)
    .await?;
    let limit = usize::try_from(limit).unwrap_or_default();
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows
        .last()
        .map(|row| format!("{}_{}", row.joined_sequence, row.user_id));
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        items.push(member(&service.platform.keyring, row).await?);
    }
    Ok(Success::ok(Page {
        items,
        next_cursor: last.filter(|_| has_more),
    }))
}

async fn member(keyring: &Keyring, row: MemberRow) -> Result<Member, Refusal> {
    let sealed = match (row.subject, row.event_id, row.name) {
        (Some(subject), Some(event_id), Some(Json(name))) => Some(SealedName {
            subject,
            event_id,
            name,
            picture: row.picture.map(|Json(picture)| picture),
        }),
        _ => None,
    };
    let Name { name, picture } = match sealed {
        Some(sealed) => sealed.open(keyring).await?,
        None => Name::deleted(),
    };
    Ok(Member {
        user_id: UserId::new(row.user_id),
        name,
        picture,
        role: word::<RoomRole>(&row.role)?,
        joined_at: row.joined_at.into(),
        presence: None,
    })
}
