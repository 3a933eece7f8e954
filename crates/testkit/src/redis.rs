//! A numbered Redis database, or a whole server, of the test's own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Result, ensure};
use doran_supervisor::data::DataFolder;
use doran_supervisor::programs::Program;
use doran_supervisor::servers::Redis;
use redis::aio::MultiplexedConnection;

use crate::shared::{self, REDIS_DATABASES};
use crate::{blocking, must};

/// An empty Redis database.
pub struct TestRedis {
    url: String,
    /// None on the shared server.
    server: Option<Arc<Mutex<Inner>>>,
}

struct Inner {
    redis: Redis,
    /// After the server, which writes into it until it ends.
    _data: DataFolder,
}

impl TestRedis {
    /// A database on the shared server that no other test uses.
    pub async fn database() -> Self {
        let server = blocking("Redis", shared::redis).await;
        let url = must("Redis database", own_database(&server).await);
        Self { url, server: None }
    }

    /// A server that is not shared, for tests that stop or kill it.
    pub async fn start() -> Self {
        blocking("Redis", || {
            let data = DataFolder::temporary()?;
            let program = shared::program(Program::Redis)?;
            let redis = Redis::start(&program, &data, data.path(), 1)?;
            let url = redis.url(0);
            Ok(Self {
                url,
                server: Some(Arc::new(Mutex::new(Inner { redis, _data: data }))),
            })
        })
        .await
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub async fn connection(&self) -> MultiplexedConnection {
        must("connection to Redis", connect(&self.url).await)
    }

    /// Ends the server. Only for one from [`TestRedis::start`].
    pub async fn stop(&self) {
        self.change(|redis| {
            redis.server.stop();
            Ok(())
        })
        .await;
    }

    /// Starts a stopped server again. Only for one from [`TestRedis::start`].
    pub async fn resume(&self) {
        self.change(|redis| redis.server.resume()).await;
    }

    async fn change(&self, change: impl FnOnce(&mut Redis) -> Result<()> + Send + 'static) {
        let server = self.server.clone();
        blocking("Redis", move || {
            let server = server.ok_or_else(|| anyhow::anyhow!("the shared Redis stays up"))?;
            change(&mut lock(&server).redis)
        })
        .await;
    }
}

/// Database 0 counts the databases that were given out.
async fn own_database(server: &str) -> Result<String> {
    let mut connection = connect(server).await?;
    let number: u32 = redis::cmd("INCR")
        .arg("databases")
        .query_async(&mut connection)
        .await?;
    ensure!(
        number < REDIS_DATABASES,
        "all {REDIS_DATABASES} databases are taken"
    );
    let base = server.strip_suffix("/0").unwrap_or(server);
    Ok(format!("{base}/{number}"))
}

async fn connect(url: &str) -> Result<MultiplexedConnection> {
    Ok(redis::Client::open(url)?
        .get_multiplexed_async_connection()
        .await?)
}

fn lock(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}
