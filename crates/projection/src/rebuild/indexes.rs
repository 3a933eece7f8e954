//! Indexes that only queries need are built when the rows are there: a sorted build is much
//! cheaper than an insertion for each row.

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::Rebuild;
use crate::{ReadModel, Service, runner::connect};

impl Rebuild {
    /// Takes the indexes off `next` that its read models say are built last, and keeps how to make
    /// them. May be repeated. Returns how many are off.
    pub async fn set_indexes_aside(&self, next: &Service) -> Result<usize, sqlx::Error> {
        let Some(model) = next.any_model() else {
            return Ok(0);
        };
        let mut connection = connect(model).await?;
        sqlx::query(
            "create table if not exists rebuild_index (name text primary key, definition text not null)",
        )
        .execute(&mut connection)
        .await?;
        let last = next.read_models().flat_map(ReadModel::build_last);
        for index in last {
            set_aside(&mut connection, index).await?;
        }
        Ok(kept(&mut connection).await?.len())
    }

    /// Builds the indexes that were set aside, each in a transaction of its own.
    pub async fn build_indexes(
        &self,
        next: &Service,
        mut before_each: impl FnMut(&str),
    ) -> Result<(), sqlx::Error> {
        let Some(model) = next.any_model() else {
            return Ok(());
        };
        let mut connection = connect(model).await?;
        let are_aside: bool = sqlx::query_scalar("select to_regclass('rebuild_index') is not null")
            .fetch_one(&mut connection)
            .await?;
        if !are_aside {
            return Ok(());
        }
        // A million rows take longer than a statement of the runner may.
        sqlx::query("set statement_timeout = 0")
            .execute(&mut connection)
            .await?;
        for (name, definition) in kept(&mut connection).await? {
            before_each(&name);
            let mut transaction = connection.begin().await?;
            sqlx::query(AssertSqlSafe(definition))
                .execute(&mut *transaction)
                .await?;
            sqlx::query("delete from rebuild_index where name = $1")
                .bind(&name)
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
        }
        sqlx::query("drop table rebuild_index")
            .execute(&mut connection)
            .await?;
        for table in next.read_models().flat_map(ReadModel::tables) {
            sqlx::query(AssertSqlSafe(format!("analyze {table}")))
                .execute(&mut connection)
                .await?;
        }
        Ok(())
    }
}

async fn set_aside(connection: &mut PgConnection, index: &str) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let kept = sqlx::query(
        "insert into rebuild_index (name, definition)
         select indexname, indexdef
         from pg_indexes
         where schemaname = current_schema() and indexname = $1
         on conflict (name) do nothing",
    )
    .bind(index)
    .execute(&mut *transaction)
    .await?;
    if kept.rows_affected() > 0 {
        // Names of indexes come from the manifest, which allows plain names only.
        sqlx::query(AssertSqlSafe(format!("drop index {index}")))
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await
}

async fn kept(connection: &mut PgConnection) -> Result<Vec<(String, String)>, sqlx::Error> {
    sqlx::query_as("select name, definition from rebuild_index order by name")
        .fetch_all(connection)
        .await
}
