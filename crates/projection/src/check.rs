//! What only the database can say of a read model's statements: that they run on the tables, and
//! that they touch no table of anybody else.

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::ReadModel;

/// Why a statement is not fit.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    #[error("{file} does not run on the tables: {reason}")]
    Broken { file: String, reason: String },
    #[error("{file} uses the table {table}, which its projection.toml does not list")]
    ForeignTable { file: String, table: String },
    #[error("{read_model}/projection.toml lists {name}, which the migrations do not make")]
    Missing { read_model: String, name: String },
    #[error("the database cannot be asked")]
    Database(#[from] sqlx::Error),
}

impl ReadModel {
    /// Checks every statement against the tables in the connection's schema. Changes nothing.
    pub async fn check(&self, connection: &mut PgConnection) -> Result<(), CheckError> {
        for name in self.tables().iter().chain(self.build_last()) {
            let is_there: bool = sqlx::query_scalar("select to_regclass($1) is not null")
                .bind(name)
                .fetch_one(&mut *connection)
                .await?;
            if !is_there {
                return Err(CheckError::Missing {
                    read_model: self.name().to_owned(),
                    name: name.clone(),
                });
            }
        }
        for (file, parameters, sql) in self.forms() {
            let tables = tables_of(&mut *connection, file, &parameters, sql.as_str()).await?;
            let foreign = tables
                .into_iter()
                .find(|table| !self.tables().contains(table));
            if let Some(table) = foreign {
                let file = file.to_owned();
                return Err(CheckError::ForeignTable { file, table });
            }
        }
        Ok(())
    }
}

/// The tables a statement depends on. As the body of a function PostgreSQL analyses it without
/// running it, and writes down what it depends on; the function is never committed.
async fn tables_of(
    connection: &mut PgConnection,
    file: &str,
    parameters: &str,
    sql: &str,
) -> Result<Vec<String>, CheckError> {
    let mut transaction = connection.begin().await?;
    let function = format!(
        "create function projection_check({parameters}) returns void language sql
         begin atomic {sql}; end"
    );
    sqlx::raw_sql(AssertSqlSafe(function))
        .execute(&mut *transaction)
        .await
        .map_err(|error| match error.as_database_error() {
            Some(refused) => CheckError::Broken {
                file: file.to_owned(),
                reason: refused.message().to_owned(),
            },
            None => CheckError::Database(error),
        })?;
    let tables = sqlx::query_scalar(
        "select distinct c.relname::text
         from pg_depend d
         join pg_class c on c.oid = d.refobjid
         where d.classid = 'pg_proc'::regclass
             and d.objid = to_regproc('projection_check')
             and d.refclassid = 'pg_class'::regclass",
    )
    .fetch_all(&mut *transaction)
    .await?;
    transaction.rollback().await?;
    Ok(tables)
}
