//! What PostgreSQL's planner believes of the tables of a read model.
//!
//! Autovacuum looks once a minute. Until then a table that was empty is planned for as such, and
//! prepared plans stay: a hundred thousand rows later each batch still reads the whole table.

use sqlx::{AssertSqlSafe, PgConnection};

use crate::service::Model;

/// Events after which the planner is told for the first time.
const FIRST: u64 = 1000;

/// How many rows the planner knows of, and how many events came since.
pub(super) struct Statistics {
    known_rows: u64,
    applied: u64,
    due: u64,
}

impl Statistics {
    pub(super) async fn open(
        connection: &mut PgConnection,
        model: &Model,
    ) -> Result<Self, sqlx::Error> {
        let known_rows = known_rows(connection, model).await?;
        Ok(Self {
            known_rows,
            applied: 0,
            due: known_rows.max(FIRST),
        })
    }

    /// Takes note of events that were applied, and tells the planner when there may be twice the rows
    /// that it knows of and nobody else told it.
    pub(super) async fn applied(
        &mut self,
        connection: &mut PgConnection,
        model: &Model,
        events: usize,
    ) -> Result<(), sqlx::Error> {
        self.applied += events as u64;
        if self.applied < self.due {
            return Ok(());
        }
        if known_rows(connection, model).await? <= self.known_rows {
            for table in model.definition.tables() {
                analyze(connection, table).await?;
            }
        }
        self.known_rows = known_rows(connection, model).await?;
        self.due = self.applied + self.applied.max(self.known_rows);
        Ok(())
    }
}

/// A table that cannot be analysed is slow at worst.
async fn analyze(connection: &mut PgConnection, table: &str) -> Result<(), sqlx::Error> {
    // Names of tables come from the manifest, which allows plain names only.
    let statement = sqlx::query(AssertSqlSafe(format!("analyze {table}")));
    match statement.execute(connection).await {
        Err(sqlx::Error::Database(error)) => {
            tracing::warn!(%error, table, "a table was not analysed");
            Ok(())
        }
        outcome => outcome.map(|_done| ()),
    }
}

async fn known_rows(connection: &mut PgConnection, model: &Model) -> Result<u64, sqlx::Error> {
    let rows: i64 = sqlx::query_scalar(
        "select coalesce(sum(greatest(reltuples, 0)), 0)::bigint
         from pg_class
         where relnamespace = current_schema()::regnamespace and relname = any($1)",
    )
    .bind(model.definition.tables())
    .fetch_one(connection)
    .await?;
    Ok(rows.unsigned_abs())
}
