//! The row that says how far a read model is, and the proof that the log is still the same one.

use doran_eventstore::ReadError;
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use crate::{
    Halt,
    log::{Log, Reach},
    service::Model,
};

/// One row of `projection_position`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    stream: String,
    incarnation: String,
    place: Place,
    version: i32,
}

/// The place a transaction moves the checkpoint to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) sequence: u64,
    pub(crate) event_id: Option<Uuid>,
}

/// Reads the row of a read model over a connection that may be in any schema.
pub(crate) async fn read(model: &Model) -> Result<Option<Checkpoint>, sqlx::Error> {
    // The schema's name was checked when the service was built.
    let select = format!(
        "select stream, incarnation, sequence, last_event_id, version
         from {}.projection_position
         where read_model = $1",
        model.schema
    );
    let row: Option<Row> = sqlx::query_as(AssertSqlSafe(select))
        .bind(model.name())
        .fetch_optional(&model.connections.pool)
        .await?;
    Ok(row.map(Checkpoint::from))
}

/// Reads the row of a read model, or makes it: at the start of this log.
pub(crate) async fn open(
    connection: &mut PgConnection,
    model: &Model,
    incarnation: &str,
) -> Result<Checkpoint, sqlx::Error> {
    sqlx::query(
        "insert into projection_position
             (read_model, stream, incarnation, sequence, version, updated_at)
         values ($1, $2, $3, 0, $4, $5)
         on conflict (read_model) do nothing",
    )
    .bind(model.name())
    .bind(model.definition.stream())
    .bind(incarnation)
    .bind(model.definition.version())
    .bind(model.now())
    .execute(&mut *connection)
    .await?;
    let row: Row = sqlx::query_as(
        "select stream, incarnation, sequence, last_event_id, version
         from projection_position
         where read_model = $1",
    )
    .bind(model.name())
    .fetch_one(connection)
    .await?;
    Ok(row.into())
}

/// Moves the row, if it is where the caller left it. Otherwise another runner is ahead: false.
pub(crate) async fn compare_and_set(
    connection: &mut PgConnection,
    model: &Model,
    from: u64,
    to: Place,
) -> Result<bool, sqlx::Error> {
    let updated = sqlx::query(
        "update projection_position
         set sequence = $3, last_event_id = $4, updated_at = $5
         where read_model = $1 and sequence = $2",
    )
    .bind(model.name())
    .bind(from.cast_signed())
    .bind(to.sequence.cast_signed())
    .bind(to.event_id)
    .bind(model.now())
    .execute(connection)
    .await?;
    Ok(updated.rows_affected() == 1)
}

type Row = (String, String, i64, Option<Uuid>, i32);

impl From<Row> for Checkpoint {
    fn from((stream, incarnation, sequence, event_id, version): Row) -> Self {
        Self {
            stream,
            incarnation,
            place: Place {
                sequence: sequence.cast_unsigned(),
                event_id,
            },
            version,
        }
    }
}

impl Checkpoint {
    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// What speaks against going on from here.
    pub(crate) async fn objection(
        &self,
        model: &Model,
        log: &Log,
        reach: &Reach,
    ) -> Result<Option<Halt>, ReadError> {
        if let Some(halt) = self.mismatch(model, &reach.incarnation) {
            return Ok(Some(halt));
        }
        let position = self.place.sequence;
        if reach.head < position {
            return Ok(Some(Halt::LogTooShort {
                position,
                head: reach.head,
            }));
        }
        let Some(stored) = self.place.event_id else {
            return Ok(None);
        };
        Ok(match log.event_id(position).await? {
            Some(Some(found)) if found != stored => Some(Halt::OtherEvent {
                position,
                stored,
                found: Some(found),
            }),
            // Streams that are bounded by age lose their oldest events rightly.
            None if reach.first <= position => Some(Halt::OtherEvent {
                position,
                stored,
                found: None,
            }),
            None | Some(None | Some(_)) => None,
        })
    }

    fn mismatch(&self, model: &Model, incarnation: &str) -> Option<Halt> {
        let wanted = &model.definition;
        if self.stream != wanted.stream() {
            return Some(Halt::OtherStream {
                stored: self.stream.clone(),
                wanted: wanted.stream().to_owned(),
            });
        }
        if self.incarnation != incarnation {
            return Some(Halt::OtherIncarnation {
                stored: self.incarnation.clone(),
                found: incarnation.to_owned(),
            });
        }
        (self.version != wanted.version()).then(|| Halt::OtherVersion {
            stored: self.version,
            wanted: wanted.version(),
        })
    }
}
