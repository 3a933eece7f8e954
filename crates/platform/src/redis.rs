//! Redis: a place for what may be lost. While it is away it is not asked, so that it costs nobody
//! any time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use redis::{
    Client, FromRedisValue, RedisError, ScriptInvocation,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

use crate::{Lifecycle, http::Probe};

/// A Redis that did not answer is asked again so often, and not by requests.
const ASK_AGAIN: Duration = Duration::from_secs(1);
const CONNECT: Duration = Duration::from_millis(500);

/// Cheap to clone.
#[derive(Clone)]
pub struct Redis {
    connection: ConnectionManager,
    /// What a request may wait for an answer.
    patience: Duration,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    is_away: AtomicBool,
    left: Notify,
}

impl Redis {
    /// Starts also while Redis is away.
    pub async fn start(
        url: &str,
        patience: Duration,
        lifecycle: &Lifecycle,
    ) -> Result<Self, RedisError> {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(CONNECT))
            .set_number_of_retries(0);
        let redis = Self {
            connection: ConnectionManager::new_lazy_with_config(Client::open(url)?, config)?,
            patience,
            state: Arc::default(),
        };
        if !redis.answers().await {
            redis.leave("no answer at the start");
        }
        let (watched, stopping) = (redis.clone(), lifecycle.stopping().clone());
        lifecycle.spawn(async move {
            stopping.run_until_cancelled(watched.watch_return()).await;
        });
        Ok(redis)
    }

    /// Runs a script. None while Redis is away.
    pub async fn run<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Option<T> {
        if self.is_away() {
            return None;
        }
        let mut connection = self.connection.clone();
        match timeout(self.patience, script.invoke_async(&mut connection)).await {
            Ok(Ok(answer)) => Some(answer),
            Ok(Err(error)) => {
                self.leave(&error.to_string());
                None
            }
            Err(elapsed) => {
                self.leave(&elapsed.to_string());
                None
            }
        }
    }

    /// A probe that says what is missing while Redis is away.
    pub fn probe(&self, consequence: &'static str) -> Probe {
        let redis = self.clone();
        Probe::optional("redis", move || {
            let is_away = redis.is_away();
            async move {
                if is_away {
                    Err(format!("away, {consequence}"))
                } else {
                    Ok(())
                }
            }
        })
    }

    fn is_away(&self) -> bool {
        self.state.is_away.load(Ordering::Relaxed)
    }

    fn leave(&self, reason: &str) {
        if !self.state.is_away.swap(true, Ordering::Relaxed) {
            tracing::warn!(reason, "Redis is away");
            metrics::gauge!("redis_away").set(1.0);
            self.state.left.notify_one();
        }
    }

    async fn watch_return(self) {
        loop {
            self.state.left.notified().await;
            while !self.answers().await {
                sleep(ASK_AGAIN).await;
            }
            self.state.is_away.store(false, Ordering::Relaxed);
            metrics::gauge!("redis_away").set(0.0);
            tracing::info!("Redis is back");
        }
    }

    /// Whether it answers as fast as requests need it, once connected.
    async fn answers(&self) -> bool {
        self.ping(CONNECT).await && self.ping(self.patience).await
    }

    async fn ping(&self, patience: Duration) -> bool {
        let mut connection = self.connection.clone();
        let ping = redis::cmd("PING");
        let answer = timeout(patience, ping.query_async::<String>(&mut connection)).await;
        matches!(answer, Ok(Ok(_)))
    }
}
