//! Events that cannot be applied, and those of the same aggregate that came after them.
//!
//! The table keeps their places in order; the events themselves stay in the log.

mod retry;

use std::{borrow::Cow, collections::HashSet};

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

pub use retry::{Retried, RetryError};

use crate::{
    Service,
    runner::{Failure, Prepared, connect},
    service::Model,
};

/// The reason of events that are parked only because an earlier one is.
pub(crate) const BEHIND_ANOTHER: &str = "an earlier event of the aggregate is parked";

/// An aggregate whose events wait for a repair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedAggregate {
    pub read_model: String,
    /// The subject without the event type.
    pub aggregate: String,
    /// How many of its events wait.
    pub events: u64,
    /// The first of them: its stream sequence, its type, and why it could not be applied.
    pub sequence: u64,
    pub event_type: String,
    pub reason: String,
    pub parked_at: DateTime<Utc>,
}

type ParkedRow = (String, String, i64, i64, String, String, DateTime<Utc>);

impl Service {
    /// The aggregates that are parked in any of the read models.
    pub async fn parked(&self) -> Result<Vec<ParkedAggregate>, sqlx::Error> {
        let Some(model) = self.any_model() else {
            return Ok(Vec::new());
        };
        let mut connection = connect(model).await?;
        crate::tables::ensure(&mut connection).await?;
        let rows: Vec<ParkedRow> = sqlx::query_as(
            "select distinct on (read_model, aggregate)
                 read_model, aggregate,
                 count(*) over (partition by read_model, aggregate) as events,
                 sequence, event_type, reason, parked_at
             from projection_parked
             order by read_model, aggregate, sequence",
        )
        .fetch_all(&mut connection)
        .await?;
        let parked = rows.into_iter().map(|row| {
            let (read_model, aggregate, events, sequence, event_type, reason, parked_at) = row;
            ParkedAggregate {
                read_model,
                aggregate,
                events: events.cast_unsigned(),
                sequence: sequence.cast_unsigned(),
                event_type,
                reason,
                parked_at,
            }
        });
        Ok(parked.collect())
    }
}

/// The aggregates that have parked events. A retry that has not committed yet still shows them.
pub(crate) async fn aggregates(
    connection: &mut PgConnection,
    read_model: &str,
) -> Result<HashSet<String>, sqlx::Error> {
    let aggregates: Vec<String> = sqlx::query_scalar(
        "select distinct aggregate from projection_parked where read_model = $1",
    )
    .bind(read_model)
    .fetch_all(connection)
    .await?;
    Ok(aggregates.into_iter().collect())
}

pub(crate) async fn insert(
    connection: &mut PgConnection,
    model: &Model,
    events: &[(&Prepared, Cow<'_, str>)],
) -> Result<(), Failure> {
    if events.is_empty() {
        return Ok(());
    }
    let aggregates: Vec<&str> = events.iter().map(|(event, _)| event.aggregate()).collect();
    let sequences: Vec<i64> = events
        .iter()
        .map(|(event, _)| event.recorded.sequence.cast_signed())
        .collect();
    let event_ids: Vec<Uuid> = events
        .iter()
        .map(|(event, _)| event.recorded.event_id)
        .collect();
    let event_types: Vec<&str> = events
        .iter()
        .map(|(event, _)| event.recorded.event_type.as_str())
        .collect();
    let subjects: Vec<&str> = events
        .iter()
        .map(|(event, _)| event.recorded.subject.as_str())
        .collect();
    let reasons: Vec<&str> = events.iter().map(|(_, reason)| reason.as_ref()).collect();
    sqlx::query(
        "insert into projection_parked
             (read_model, aggregate, sequence, event_id, event_type, subject, reason, parked_at)
         select $1, e.aggregate, e.sequence, e.event_id, e.event_type, e.subject, e.reason, $2
         from unnest($3::text[], $4::bigint[], $5::uuid[], $6::text[], $7::text[], $8::text[])
             as e(aggregate, sequence, event_id, event_type, subject, reason)
         on conflict (read_model, aggregate, sequence) do nothing",
    )
    .bind(model.name())
    .bind(model.now())
    .bind(aggregates)
    .bind(sequences)
    .bind(event_ids)
    .bind(event_types)
    .bind(subjects)
    .bind(reasons)
    .execute(connection)
    .await?;
    Ok(())
}
