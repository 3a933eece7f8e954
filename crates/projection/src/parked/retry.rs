//! Trying parked events again, in their order.

use doran_eventstore::ReadError;
use sqlx::{Connection, PgConnection};

use crate::{
    Halt, Service,
    runner::{Failure, Prepared, Work, connect, prepare, run_statement},
    service::Model,
    tables,
};

/// How many events one transaction takes.
const PORTION: i64 = 200;

/// What became of an aggregate's parked events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retried {
    /// Events that are in the tables now.
    pub applied: usize,
    /// Why the next one still cannot be applied; it and those after it stay parked.
    pub stopped_by: Option<String>,
}

/// Why parked events could not be tried again. Nothing of the current portion was changed.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    #[error("there is no read model {0}")]
    UnknownReadModel(String),
    #[error("the log does not hold event {sequence} any more")]
    Gone { sequence: i64 },
    #[error("the event log cannot be read")]
    Log(#[from] ReadError),
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Halted(#[from] Halt),
}

impl Service {
    /// Applies the parked events of an aggregate in their order, up to the first that still fails.
    ///
    /// Works beside a running leader, which goes on parking the aggregate's later events until none
    /// is left in the table.
    pub async fn retry_parked(
        &self,
        read_model: &str,
        aggregate: &str,
    ) -> Result<Retried, RetryError> {
        let model = self
            .model(read_model)
            .ok_or_else(|| RetryError::UnknownReadModel(read_model.to_owned()))?;
        let mut connection = connect(model).await?;
        tables::ensure(&mut connection).await?;
        let mut retried = Retried::default();
        loop {
            let (applied, stopped_by) = portion(model, &mut connection, aggregate).await?;
            retried.applied += applied;
            retried.stopped_by = stopped_by;
            if applied == 0 || retried.stopped_by.is_some() {
                return Ok(retried);
            }
        }
    }
}

async fn portion(
    model: &Model,
    connection: &mut PgConnection,
    aggregate: &str,
) -> Result<(usize, Option<String>), RetryError> {
    let mut transaction = connection.begin().await?;
    // Another retry of the aggregate waits at the rows, and finds them gone afterwards.
    let sequences: Vec<i64> = sqlx::query_scalar(
        "select sequence from projection_parked
         where read_model = $1 and aggregate = $2
         order by sequence
         limit $3
         for update",
    )
    .bind(model.name())
    .bind(aggregate)
    .bind(PORTION)
    .fetch_all(&mut *transaction)
    .await?;
    let mut applied = 0;
    let mut stopped_by = None;
    for sequence in &sequences {
        let event = fetch(model, *sequence).await?;
        if let Some(reason) = apply_one(model, &mut transaction, &event).await? {
            note_reason(model, &mut transaction, aggregate, *sequence, &reason).await?;
            stopped_by = Some(reason);
            break;
        }
        applied += 1;
    }
    sqlx::query(
        "delete from projection_parked
         where read_model = $1 and aggregate = $2 and sequence = any($3)",
    )
    .bind(model.name())
    .bind(aggregate)
    .bind(sequences.get(..applied).unwrap_or_default())
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok((applied, stopped_by))
}

async fn fetch(model: &Model, sequence: i64) -> Result<Prepared, RetryError> {
    let event = model.reader().get(sequence.cast_unsigned()).await?;
    let event = event.ok_or(RetryError::Gone { sequence })?;
    Ok(prepare(model, event.into()).await?)
}

/// Applies one event, or says why not and leaves no trace of the attempt.
async fn apply_one(
    model: &Model,
    connection: &mut PgConnection,
    event: &Prepared,
) -> Result<Option<String>, RetryError> {
    let row = match &event.work {
        Work::Nothing => return Ok(None),
        Work::Park(reason) => return Ok(Some(reason.clone())),
        Work::Row(row) => row,
    };
    let Some(statement) = model.definition.statement(&event.recorded.event_type) else {
        return Ok(None);
    };
    let mut savepoint = connection.begin().await?;
    match run_statement(&mut savepoint, statement, &[row]).await {
        Ok(()) => {
            savepoint.commit().await?;
            Ok(None)
        }
        Err(Failure::Event { reason }) => {
            savepoint.rollback().await?;
            Ok(Some(reason))
        }
        Err(Failure::Broken(halt)) => Err(halt.into()),
        Err(Failure::Passing(error)) => Err(error.into()),
        Err(Failure::Fenced) => Ok(None),
    }
}

async fn note_reason(
    model: &Model,
    connection: &mut PgConnection,
    aggregate: &str,
    sequence: i64,
    reason: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update projection_parked set reason = $4
         where read_model = $1 and aggregate = $2 and sequence = $3",
    )
    .bind(model.name())
    .bind(aggregate)
    .bind(sequence)
    .bind(reason)
    .execute(connection)
    .await
    .map(|_done| ())
}
