//! `GET /api/auth/sessions`: where one is logged in, newest first.

use axum::extract::State;
use doran_contract::{Page, Sealed, SessionId, session::Session, subject};
use doran_platform::{
    http::{Actor, Limit, Query, Refusal, Success, UpToDate},
    keyring::{Keyring, OpenFieldError, Opened, Place},
};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;
use sqlx::{
    FromRow, Row,
    postgres::PgRow,
    types::{
        Json, Uuid,
        chrono::{DateTime, Utc},
    },
};

use crate::state::Service;

#[derive(Deserialize, JsonSchema, Validate)]
pub(crate) struct Request {
    #[garde(dive)]
    #[serde(default)]
    limit: Limit,
    #[garde(skip)]
    cursor: Option<i64>,
}

pub(crate) async fn list_sessions(
    State(service): State<Service>,
    actor: Actor,
    _: UpToDate,
    Query(request): Query<Request>,
) -> Result<Success<Page<Session>>, Refusal> {
    let limit = request.limit.get();
    let mut rows: Vec<SessionRow> = sqlx::query_as(
        "select id, device, started_event_id, started_sequence, started_at, last_seen_at
         from sessions
         where user_id = $1
             and revoked_at is null
             and expires_at > $2
             and started_sequence < $3
         order by started_sequence desc
         limit $4",
    )
    .bind(actor.user_id.as_uuid())
    .bind(service.platform.clock.now())
    .bind(request.cursor.unwrap_or(i64::MAX))
    .bind(limit + 1)
    .fetch_all(&service.pool)
    .await?;
    let wanted = usize::try_from(limit).unwrap_or(1);
    let has_more = rows.len() > wanted;
    rows.truncate(wanted);
    let last = rows.last().map(|row| row.started_sequence.to_string());
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        items.push(row.open(&service.platform.keyring, &actor).await?);
    }
    Ok(Success::ok(Page {
        items,
        next_cursor: last.filter(|_| has_more),
    }))
}

struct SessionRow {
    id: SessionId,
    device: Option<Sealed>,
    started_event_id: Uuid,
    started_sequence: i64,
    started_at: DateTime<Utc>,
    last_seen_at: DateTime<Utc>,
}

impl SessionRow {
    async fn open(self, keyring: &Keyring, actor: &Actor) -> Result<Session, OpenFieldError> {
        let device = match &self.device {
            Some(sealed) => {
                let place = Place {
                    subject: &subject::session(self.id, "SessionStarted"),
                    event_id: self.started_event_id,
                    field: "device",
                };
                keyring
                    .open_field(place, sealed)
                    .await
                    .map(Opened::into_text)?
            }
            None => None,
        };
        Ok(Session {
            id: self.id,
            device,
            created_at: self.started_at.into(),
            last_seen_at: self.last_seen_at.into(),
            current: self.id == actor.session_id,
        })
    }
}

impl FromRow<'_, PgRow> for SessionRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let device: Option<Json<Sealed>> = row.try_get("device")?;
        Ok(Self {
            id: SessionId::new(row.try_get("id")?),
            device: device.map(|Json(sealed)| sealed),
            started_event_id: row.try_get("started_event_id")?,
            started_sequence: row.try_get("started_sequence")?,
            started_at: row.try_get("started_at")?,
            last_seen_at: row.try_get("last_seen_at")?,
        })
    }
}
