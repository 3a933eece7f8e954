//! A PostgreSQL database, or a whole server, of the test's own.

use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use doran_supervisor::data::DataFolder;
use doran_supervisor::programs::Program;
use doran_supervisor::servers::{Postgres, Purpose};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};

use crate::{blocking, must, shared};

/// Many tests run at once, and the server has room for a few hundred connections.
const CONNECTIONS: u32 = 8;
const ACQUIRE: Duration = Duration::from_secs(10);

/// A database that no other test sees.
pub struct TestDatabase {
    url: String,
    pool: PgPool,
}

/// A server of the test's own, for tests that stop or kill it.
pub struct TestPostgres {
    url: String,
    pool: PgPool,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    postgres: Postgres,
    /// After the server, which writes into it until it ends.
    _data: DataFolder,
}

impl TestDatabase {
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn pool(&self) -> PgPool {
        self.pool.clone()
    }
}

impl TestPostgres {
    /// An empty database on the shared server.
    pub async fn database() -> TestDatabase {
        must("database", create("template1").await)
    }

    /// A copy of the template `name`, which `fill` makes when this server has none yet. Copying
    /// migrated tables is cheaper than migrating for every test.
    pub async fn database_like<F>(name: &str, fill: impl FnOnce(PgPool) -> F) -> TestDatabase
    where
        F: Future<Output = Result<()>>,
    {
        must("template database", template(name, fill).await);
        must("database", create(name).await)
    }

    /// A server that is not shared.
    pub async fn start() -> Self {
        let (url, inner) = blocking("PostgreSQL", || {
            let data = DataFolder::temporary()?;
            let program = shared::program(Program::Postgres)?;
            let postgres = Postgres::start(&program, &data, data.path(), Purpose::Test)?;
            Ok((
                postgres.url("doran"),
                Inner {
                    postgres,
                    _data: data,
                },
            ))
        })
        .await;
        let pool = must("pool", pool(&url));
        Self {
            url,
            pool,
            inner: Arc::new(Mutex::new(inner)),
        }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn pool(&self) -> PgPool {
        self.pool.clone()
    }

    /// Ends the server in order; connections break.
    pub async fn stop(&self) {
        self.change(|postgres| {
            postgres.server.stop();
            Ok(())
        })
        .await;
    }

    /// Ends the server as `kill -9` does.
    pub async fn kill(&self) {
        self.change(|postgres| {
            postgres.server.kill();
            Ok(())
        })
        .await;
    }

    /// Starts a stopped or killed server again, on the same port and data.
    pub async fn resume(&self) {
        self.change(|postgres| postgres.server.resume()).await;
    }

    async fn change(&self, change: impl FnOnce(&mut Postgres) -> Result<()> + Send + 'static) {
        let inner = Arc::clone(&self.inner);
        blocking("PostgreSQL", move || change(&mut lock(&inner).postgres)).await;
    }
}

async fn server_url() -> String {
    blocking("PostgreSQL", shared::postgres).await
}

/// A new database with a name that no other process of the run uses.
async fn create(template: &str) -> Result<TestDatabase> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("test_{}_{count}", std::process::id());
    let server = server_url().await;
    let mut connection = PgConnection::connect(&server).await?;
    let sql = format!("create database {name} template {template}");
    sqlx::query(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await?;
    connection.close().await?;
    open(&url_of(&server, &name)?)
}

/// Makes the template once, whichever process comes first.
async fn template<F>(name: &str, fill: impl FnOnce(PgPool) -> F) -> Result<()>
where
    F: Future<Output = Result<()>>,
{
    let server = server_url().await;
    let mut connection = PgConnection::connect(&server).await?;
    sqlx::query("select pg_advisory_lock(hashtext($1))")
        .bind(name)
        .execute(&mut connection)
        .await?;
    let exists: bool =
        sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
            .bind(name)
            .fetch_one(&mut connection)
            .await?;
    if !exists {
        let unfinished = format!("{name}_unfinished");
        let statements = [
            format!("drop database if exists {unfinished}"),
            format!("create database {unfinished}"),
        ];
        for sql in statements {
            sqlx::query(AssertSqlSafe(sql))
                .execute(&mut connection)
                .await?;
        }
        let database = open(&url_of(&server, &unfinished)?)?;
        fill(database.pool())
            .await
            .with_context(|| format!("cannot fill {name}"))?;
        database.pool.close().await;
        let rename = format!("alter database {unfinished} rename to {name}");
        sqlx::query(AssertSqlSafe(rename))
            .execute(&mut connection)
            .await?;
    }
    // Closing gives the lock back.
    connection.close().await?;
    Ok(())
}

fn open(url: &str) -> Result<TestDatabase> {
    Ok(TestDatabase {
        url: url.to_owned(),
        pool: pool(url)?,
    })
}

fn pool(url: &str) -> Result<PgPool> {
    let options = PgConnectOptions::from_str(url)?;
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(ACQUIRE);
    Ok(pool.connect_lazy_with(options))
}

fn url_of(server: &str, database: &str) -> Result<String> {
    let (server, _) = server.rsplit_once('/').context("the URL has no database")?;
    Ok(format!("{server}/{database}"))
}

fn lock(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}
