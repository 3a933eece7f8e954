//! Whether two schemas hold the same rows: counts and order-free checksums at one position.

use std::time::Duration;

use doran_eventstore::ReadError;
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::time::{Instant, sleep};

use super::Rebuild;
use crate::{ReadModel, Service, service::Model};

/// How long the two may take to be seen at one position.
const PATIENCE: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(15);

/// A table as both schemas have it, at one position of its read model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    pub read_model: String,
    pub table: String,
    /// The position that both were at.
    pub position: u64,
    pub live_rows: u64,
    pub next_rows: u64,
    pub is_equal: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    #[error("the tables cannot be compared")]
    Database(#[from] sqlx::Error),
    #[error("the log cannot be asked what lies between two positions")]
    Log(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error(
        "{read_model} was not seen at one position in both schemas within a minute: \
         does its service run?"
    )]
    NeverTogether { read_model: String },
}

impl From<ReadError> for CompareError {
    fn from(error: ReadError) -> Self {
        Self::Log(error.into())
    }
}

impl Rebuild {
    /// Compares every table of `next`, read model by read model. Both schemas go on being filled
    /// meanwhile: what is compared is one snapshot in which nothing that a read model wants lies
    /// between their positions.
    pub async fn compare(&self, next: &Service) -> Result<Vec<Comparison>, CompareError> {
        let mut compared = Vec::new();
        for model in next.models() {
            compared.extend(self.compare_one(model).await?);
        }
        Ok(compared)
    }

    async fn compare_one(&self, model: &Model) -> Result<Vec<Comparison>, CompareError> {
        let (log, read_model) = (model.log(), &model.definition);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut snapshot = self.pool.begin().await?;
            sqlx::query("set transaction isolation level repeatable read, read only")
                .execute(&mut *snapshot)
                .await?;
            let live = position(&mut snapshot, self.live(), read_model).await?;
            let next = position(&mut snapshot, self.next(), read_model).await?;
            if let (Some(live), Some(next)) = (live, next) {
                let (behind, ahead) = (live.min(next), live.max(next));
                if behind == ahead || !log.has_between(behind, ahead).await? {
                    return Ok(self.tables(&mut snapshot, read_model, ahead).await?);
                }
            }
            if Instant::now() > deadline {
                return Err(CompareError::NeverTogether {
                    read_model: read_model.name().to_owned(),
                });
            }
            sleep(PAUSE).await;
        }
    }

    async fn tables(
        &self,
        snapshot: &mut PgConnection,
        read_model: &ReadModel,
        position: u64,
    ) -> Result<Vec<Comparison>, sqlx::Error> {
        let mut compared = Vec::new();
        for table in read_model.tables() {
            let live = Content::of(snapshot, self.live(), table).await?;
            let next = Content::of(snapshot, self.next(), table).await?;
            compared.push(Comparison {
                read_model: read_model.name().to_owned(),
                table: table.clone(),
                position,
                live_rows: live.rows.cast_unsigned(),
                next_rows: next.rows.cast_unsigned(),
                is_equal: live == next,
            });
        }
        Ok(compared)
    }
}

/// Where a read model stands in a schema; none where it never ran, or where the runners have not
/// made their tables yet: with an empty log nobody waits for them.
async fn position(
    snapshot: &mut PgConnection,
    schema: &str,
    read_model: &ReadModel,
) -> Result<Option<u64>, sqlx::Error> {
    let is_there: bool = sqlx::query_scalar("select to_regclass($1) is not null")
        .bind(format!("{schema}.projection_position"))
        .fetch_one(&mut *snapshot)
        .await?;
    if !is_there {
        return Ok(None);
    }
    let select = format!("select sequence from {schema}.projection_position where read_model = $1");
    let position: Option<i64> = sqlx::query_scalar(AssertSqlSafe(select))
        .bind(read_model.name())
        .fetch_optional(snapshot)
        .await?;
    Ok(position.map(i64::cast_unsigned))
}

#[derive(Debug, PartialEq, Eq, sqlx::FromRow)]
struct Content {
    rows: i64,
    /// Of 64-bit hashes of the rows, so that their order does not matter.
    sum: String,
}

impl Content {
    async fn of(
        snapshot: &mut PgConnection,
        schema: &str,
        table: &str,
    ) -> Result<Self, sqlx::Error> {
        // By name, for a migration may have added columns in another order.
        let columns: String = sqlx::query_scalar(
            "select string_agg(quote_ident(column_name), ', ' order by column_name)
             from information_schema.columns
             where table_schema = $1 and table_name = $2",
        )
        .bind(schema)
        .bind(table)
        .fetch_one(&mut *snapshot)
        .await?;
        let select = format!(
            "select count(*) as rows,
                 coalesce(sum(hashtextextended(row({columns})::text, 0)::numeric), 0)::text as sum
             from {schema}.{table}"
        );
        sqlx::query_as(AssertSqlSafe(select))
            .fetch_one(snapshot)
            .await
    }
}
