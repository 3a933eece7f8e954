//! `GET /api/users/audit`: who did what to whose account, for administrators, newest first.

use axum::extract::State;
use doran_contract::{Page, Timestamp, UserId};
use doran_platform::http::{Admin, Limit, Query, Refusal, Success, UpToDate};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{
    FromRow, Postgres, QueryBuilder,
    types::{
        Json, Uuid,
        chrono::{DateTime, Utc},
    },
};

use crate::state::Service;

#[derive(Deserialize, JsonSchema, Validate)]
pub(crate) struct Request {
    /// A person's id, the name of a policy, or `operator`.
    #[garde(length(chars, max = 100))]
    actor: Option<String>,
    #[garde(skip)]
    subject: Option<UserId>,
    /// A type of event.
    #[garde(length(chars, max = 100))]
    r#type: Option<String>,
    #[garde(skip)]
    from: Option<Timestamp>,
    /// Not included.
    #[garde(skip)]
    to: Option<Timestamp>,
    #[garde(dive)]
    #[serde(default)]
    limit: Limit,
    #[garde(skip)]
    cursor: Option<i64>,
}

/// One thing that was done.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "AuditEntry")]
pub(crate) struct Entry {
    /// Where it lies in `USER`.
    sequence: i64,
    time: Timestamp,
    /// None: somebody without a token, who made their account.
    actor: Option<String>,
    subject: UserId,
    r#type: String,
    details: Value,
}

#[derive(FromRow)]
struct Row {
    sequence: i64,
    time: DateTime<Utc>,
    actor: Option<String>,
    subject: Uuid,
    r#type: String,
    details: Json<Value>,
}

pub(crate) async fn audit(
    State(service): State<Service>,
    _: Admin,
    _: UpToDate,
    Query(request): Query<Request>,
) -> Result<Success<Page<Entry>>, Refusal> {
    let limit = request.limit.get();
    let rows: Vec<Row> = query(&request)
        .push(" order by sequence desc limit ")
        .push_bind(limit + 1)
        .build_query_as()
        .fetch_all(&service.pool)
        .await?;
    let wanted = usize::try_from(limit).unwrap_or(1);
    let has_more = rows.len() > wanted;
    let items: Vec<Entry> = rows.into_iter().take(wanted).map(Entry::from).collect();
    let last = items.last().map(|entry| entry.sequence.to_string());
    Ok(Success::ok(Page {
        next_cursor: last.filter(|_| has_more),
        items,
    }))
}

fn query(request: &Request) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "select sequence, \"time\", actor, subject, type, details from audit where true",
    );
    if let Some(actor) = &request.actor {
        query.push(" and actor = ").push_bind(actor.clone());
    }
    if let Some(subject) = request.subject {
        query.push(" and subject = ").push_bind(subject.as_uuid());
    }
    if let Some(event_type) = &request.r#type {
        query.push(" and type = ").push_bind(event_type.clone());
    }
    if let Some(from) = request.from {
        query
            .push(" and \"time\" >= ")
            .push_bind(from.as_datetime());
    }
    if let Some(to) = request.to {
        query.push(" and \"time\" < ").push_bind(to.as_datetime());
    }
    if let Some(before) = request.cursor {
        query.push(" and sequence < ").push_bind(before);
    }
    query
}

impl From<Row> for Entry {
    fn from(row: Row) -> Self {
        Self {
            sequence: row.sequence,
            time: row.time.into(),
            actor: row.actor,
            subject: UserId::new(row.subject),
            r#type: row.r#type,
            details: row.details.0,
        }
    }
}
