//! Putting `<schema>_next` in the place of `<schema>`, in one transaction.
//!
//! Both position tables are locked first, so no runner is between its rows and its position; then
//! it is made sure that the new schema is nowhere behind, and the leaders of both are sent home:
//! they read everything anew from the tables that now have the name. A position never goes back.

use std::time::Duration;

use sqlx::{AssertSqlSafe, PgConnection};
use tokio::time::{Instant, sleep};

use super::Rebuild;
use crate::runner::lock_name;

/// How long the new schema may take to be as far as the one in use.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);

#[derive(Debug, thiserror::Error)]
pub enum SwapError {
    #[error("the schemas cannot be swapped")]
    Database(#[from] sqlx::Error),
    #[error("{read_model} is behind in {next} and did not catch up within 30 s")]
    Behind { read_model: String, next: String },
    #[error("{next} has indexes to build yet: run the rebuild again, it goes on where it stopped")]
    Unfinished { next: String },
    #[error("there is no {next} to take over: rebuild first")]
    NothingThere { next: String },
}

/// The schema that is to be replaced.
#[derive(Clone, Copy)]
struct InUse {
    exists: bool,
    /// It has positions, which nobody may see go back.
    has_run: bool,
}

impl Rebuild {
    /// Swaps as soon as `next`, whose runner must be running, has caught up. What was in use is
    /// `<schema>_prev` afterwards, in the place of an older one. The service need not be stopped.
    pub async fn swap(&self) -> Result<(), SwapError> {
        let found = self.found().await?;
        if !found.next {
            return Err(SwapError::NothingThere {
                next: self.next().to_owned(),
            });
        }
        if self.is_table(self.next(), "rebuild_index").await? {
            return Err(SwapError::Unfinished {
                next: self.next().to_owned(),
            });
        }
        let previous = self.previous();
        self.run(format!("drop schema if exists {previous} cascade"))
            .await?;
        let in_use = InUse {
            exists: found.live,
            has_run: self.is_table(self.live(), "projection_position").await?,
        };
        let deadline = Instant::now() + PATIENCE;
        while let Some(read_model) = self.try_swap(in_use).await? {
            if Instant::now() > deadline {
                let next = self.next().to_owned();
                return Err(SwapError::Behind { read_model, next });
            }
            sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Makes what was in use before the last swap the next one. It catches up before it takes
    /// over again.
    pub async fn recall_previous(&self) -> Result<(), sqlx::Error> {
        let (previous, next) = (self.previous(), self.next());
        self.run(format!("alter schema {previous} rename to {next}"))
            .await
    }

    /// None if it was swapped, else the read model that is behind.
    async fn try_swap(&self, in_use: InUse) -> Result<Option<String>, sqlx::Error> {
        let (live, next, previous) = (self.live(), self.next(), self.previous());
        let mut transaction = self.pool.begin().await?;
        run(&mut transaction, "set local lock_timeout = '5s'".to_owned()).await?;
        let lock =
            |schema: &str| format!("lock table {schema}.projection_position in exclusive mode");
        run(&mut transaction, lock(next)).await?;
        if in_use.has_run {
            run(&mut transaction, lock(live)).await?;
            if let Some(behind) = self.behind(&mut transaction).await? {
                return Ok(Some(behind));
            }
            self.send_home(&mut transaction, live).await?;
        }
        self.send_home(&mut transaction, next).await?;
        if in_use.exists {
            run(
                &mut transaction,
                format!("alter schema {live} rename to {previous}"),
            )
            .await?;
        }
        run(
            &mut transaction,
            format!("alter schema {next} rename to {live}"),
        )
        .await?;
        transaction.commit().await?;
        Ok(None)
    }

    async fn is_table(&self, schema: &str, table: &str) -> Result<bool, sqlx::Error> {
        sqlx::query_scalar("select to_regclass($1) is not null")
            .bind(format!("{schema}.{table}"))
            .fetch_one(&self.pool)
            .await
    }

    async fn behind(&self, connection: &mut PgConnection) -> Result<Option<String>, sqlx::Error> {
        let select = format!(
            "select n.read_model
             from {}.projection_position n
             left join {}.projection_position l using (read_model)
             where l.sequence > n.sequence
             limit 1",
            self.next(),
            self.live()
        );
        sqlx::query_scalar(AssertSqlSafe(select))
            .fetch_optional(connection)
            .await
    }

    /// Ends the sessions that hold a leadership in `schema`; their transactions are taken back.
    async fn send_home(
        &self,
        connection: &mut PgConnection,
        schema: &str,
    ) -> Result<(), sqlx::Error> {
        let select = format!("select read_model from {schema}.projection_position");
        let read_models: Vec<String> = sqlx::query_scalar(AssertSqlSafe(select))
            .fetch_all(&mut *connection)
            .await?;
        let locks: Vec<_> = read_models
            .iter()
            .map(|read_model| lock_name(schema, read_model))
            .collect();
        sqlx::query(
            "select pg_terminate_backend(l.pid)
             from unnest($1::text[]) as n(name)
             join pg_locks l
                 on l.locktype = 'advisory'
                 and l.granted
                 and l.objsubid = 1
                 and (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended(n.name, 0)
             where l.database = (select oid from pg_database where datname = current_database())",
        )
        .bind(locks)
        .execute(connection)
        .await
        .map(|_done| ())
    }
}

async fn run(connection: &mut PgConnection, sql: String) -> Result<(), sqlx::Error> {
    sqlx::query(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .map(|_done| ())
}
