//! What kind of failure a statement met: the event's, the statement's, or the moment's.

use sqlx::{Arguments, PgConnection, postgres::PgArguments};

use super::Ended;
use crate::{
    Halt,
    read_model::Statement,
    row::{CellArray, JsonbArray, Row},
};

/// Why a transaction failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The data of an event: the same event will fail the same way for ever.
    Event { reason: String },
    /// The statement or the schema.
    Broken(Halt),
    /// The connection, the server, another transaction.
    Passing(sqlx::Error),
    /// Another runner moved the position.
    Fenced,
}

/// PostgreSQL says in five letters, and in their first two by class, what went wrong.
enum Kind {
    Event,
    Statement,
    Passing,
}

impl Failure {
    pub(crate) fn of(error: sqlx::Error, file: &str) -> Self {
        let Some(database) = error.as_database_error() else {
            return Self::Passing(error);
        };
        match kind_of(database.code().as_deref().unwrap_or_default()) {
            Kind::Passing => Self::Passing(error),
            Kind::Event => Self::Event {
                reason: truncated(&format!("{file}: {}", database.message())),
            },
            Kind::Statement => Self::Broken(Halt::BrokenStatement {
                file: file.to_owned(),
                error: truncated(database.message()),
            }),
        }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Passing(error)
    }
}

impl Failure {
    /// The end of the session, for every failure but an event's, which is parked instead.
    pub(super) fn into_ended(self) -> Ended {
        match self {
            Self::Event { reason } => Ended::retry(reason),
            Self::Broken(halt) => Ended::Halted(halt),
            Self::Passing(error) => Ended::retry(error),
            Self::Fenced => Ended::Fenced,
        }
    }
}

/// Runs one statement over rows, in their order.
pub(crate) async fn run_statement(
    connection: &mut PgConnection,
    statement: &Statement,
    rows: &[&Row],
) -> Result<(), Failure> {
    for alike in rows.chunk_by(|a, b| a.cells().is_some() == b.cells().is_some()) {
        let cells: Vec<_> = alike.iter().filter_map(|row| row.cells()).collect();
        let mut arguments = PgArguments::default();
        let sql = match statement.columns() {
            Some(columns) if !cells.is_empty() => {
                for array in CellArray::of(columns, &cells) {
                    arguments.add(array).map_err(sqlx::Error::Encode)?;
                }
                columns.over_arrays()
            }
            _json => {
                let rows = alike.iter().filter_map(|row| row.json()).collect();
                arguments
                    .add(JsonbArray(rows))
                    .map_err(sqlx::Error::Encode)?;
                statement.over_json()
            }
        };
        sqlx::query_with(sql, arguments)
            .execute(&mut *connection)
            .await
            .map_err(|error| Failure::of(error, statement.file()))?;
    }
    Ok(())
}

/// An error with those of its causes that it does not tell itself, on one line.
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    truncated(&text)
}

fn kind_of(sqlstate: &str) -> Kind {
    match sqlstate.get(..2).unwrap_or_default() {
        // Cardinality, data, integrity, a view's check, limits of size, `raise` in a trigger.
        "21" | "22" | "23" | "44" | "54" | "P0" => Kind::Event,
        // Syntax, missing table or column, missing right; a missing schema.
        "42" | "3F" => Kind::Statement,
        _ => Kind::Passing,
    }
}

fn truncated(text: &str) -> String {
    const LONGEST: usize = 500;
    text.chars().take(LONGEST).collect()
}
