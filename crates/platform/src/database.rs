//! A service's own schema in PostgreSQL: the pool that sees it alone, and its migrations.

use std::{str::FromStr, time::Duration};

use rust_embed::RustEmbed;
use sqlx::{
    AssertSqlSafe, Connection, PgPool, SqlSafeStr,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{Config, Lifecycle};

/// How long a query waits for a connection before it is refused.
const ACQUIRE: Duration = Duration::from_secs(2);
/// A connection that has rested for longer is tried before it is used. Trying one always would be
/// as slow as most queries are.
const TRUSTED: Duration = Duration::from_secs(1);
const MEASURE_EVERY: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    #[error("DATABASE_URL is not a PostgreSQL URL")]
    Url(#[source] sqlx::Error),
    #[error("PostgreSQL does not answer or refuses the log-in; start it, or set DATABASE_URL")]
    Connect(#[source] sqlx::Error),
    #[error("cannot make the schema {schema}")]
    Schema { schema: String, source: sqlx::Error },
    #[error("the migration file {0} is not named <number>_<what>.sql")]
    FileName(String),
    #[error("a migration of the schema {schema} failed")]
    Migrate {
        schema: String,
        source: MigrateError,
    },
}

/// A pool whose connections see `schema` and nothing else. Connects when first used.
pub fn pool(config: &Config, schema: &str) -> Result<PgPool, DatabaseError> {
    pool_as(config, schema, None)
}

/// As [`pool`], for somebody who may act as `role` and does.
pub fn pool_as(config: &Config, schema: &str, role: Option<&str>) -> Result<PgPool, DatabaseError> {
    let settings = [("search_path", Some(schema)), ("role", role)];
    let settings = settings
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    let options = PgConnectOptions::from_str(&config.database_url)
        .map_err(DatabaseError::Url)?
        .application_name(&format!("doran {schema}"))
        .options(settings);
    Ok(PgPoolOptions::new()
        .max_connections(config.database_connections)
        .acquire_timeout(ACQUIRE)
        .test_before_acquire(false)
        .before_acquire(|connection, metadata| {
            Box::pin(async move {
                if metadata.idle_for > TRUSTED {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(options))
}

/// Shows how many connections are open and in use, until the process stops.
pub fn measure(schema: &'static str, pool: &PgPool, lifecycle: &Lifecycle) {
    let (pool, stopping) = (pool.clone(), lifecycle.stopping().clone());
    lifecycle.spawn(async move {
        let mut looks = tokio::time::interval(MEASURE_EVERY);
        while stopping.run_until_cancelled(looks.tick()).await.is_some() {
            let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
            let connections = |state| {
                metrics::gauge!("postgres_pool_connections", "schema" => schema, "state" => state)
            };
            connections("idle").set(idle);
            connections("used").set(pool.size().saturating_sub(idle));
            let most = pool.options().get_max_connections();
            metrics::gauge!("postgres_pool_max_connections", "schema" => schema).set(most);
        }
    });
}

/// Runs the migrations of `M`, files `<number>_<what>.sql`, that `schema` has not had yet.
pub async fn migrate<M: RustEmbed>(pool: &PgPool, schema: &str) -> Result<(), DatabaseError> {
    run(pool, schema, files::<M>()?).await
}

pub(crate) async fn run(
    pool: &PgPool,
    schema: &str,
    migrations: Vec<Migration>,
) -> Result<(), DatabaseError> {
    ensure_schema(pool, schema).await?;
    Migrator::with_migrations(migrations)
        .run(pool)
        .await
        .map_err(|source| DatabaseError::Migrate {
            schema: schema.to_owned(),
            source,
        })
}

/// Asks first, so that a database user who may not make schemas can run in one made for it.
async fn ensure_schema(pool: &PgPool, schema: &str) -> Result<(), DatabaseError> {
    let mut connection = pool.acquire().await.map_err(DatabaseError::Connect)?;
    let failed = |source| DatabaseError::Schema {
        schema: schema.to_owned(),
        source,
    };
    let is_there: bool = sqlx::query_scalar("select to_regnamespace($1) is not null")
        .bind(schema)
        .fetch_one(&mut *connection)
        .await
        .map_err(failed)?;
    if is_there {
        return Ok(());
    }
    let statement = format!("create schema if not exists {schema}");
    sqlx::query(AssertSqlSafe(statement))
        .execute(&mut *connection)
        .await
        .map_err(failed)?;
    Ok(())
}

pub(crate) fn files<M: RustEmbed>() -> Result<Vec<Migration>, DatabaseError> {
    M::iter()
        .filter(|path| path.ends_with(".sql"))
        .map(|path| {
            let misnamed = || DatabaseError::FileName(path.to_string());
            let (number, what) = path
                .trim_end_matches(".sql")
                .split_once('_')
                .ok_or_else(misnamed)?;
            let version = number.parse().map_err(|_error| misnamed())?;
            let file = M::get(&path).ok_or_else(misnamed)?;
            let sql = String::from_utf8(file.data.into_owned()).map_err(|_error| misnamed())?;
            Ok(Migration::new(
                version,
                what.replace('_', " ").into(),
                MigrationType::Simple,
                AssertSqlSafe(sql).into_sql_str(),
                false,
            ))
        })
        .collect()
}
