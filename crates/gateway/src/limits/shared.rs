//! The limits that all gateways share, in Redis: one atomic script, its clock the server's.

use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use doran_platform::Lifecycle;
use redis::{
    Client, RedisError, Script,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

use super::{Group, Subject, Verdict, subject::account};

/// A Redis that did not answer is asked again so often, and not by requests.
const ASK_AGAIN: Duration = Duration::from_secs(1);
const CONNECT: Duration = Duration::from_millis(500);

/// As `Rate::judge`: answers whether it passes, how full the bucket is, and how long to wait.
static SCRIPT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
        local due = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
        local following = due + interval
        local wait = following - interval * burst - now
        if wait > 0 then
          return {0, due - now, wait}
        end
        local text = string.format('%.0f', following)
        redis.call('SET', KEYS[1], text, 'PX', math.ceil((following - now) / 1000))
        return {1, following - now, 0}
        ",
    )
});

#[derive(Clone)]
pub(super) struct Shared {
    redis: ConnectionManager,
    /// What a request may wait for an answer.
    patience: Duration,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    is_away: AtomicBool,
    left: Notify,
}

impl Shared {
    /// Starts also while Redis is away.
    pub(super) async fn start(
        url: &str,
        patience: Duration,
        lifecycle: &Lifecycle,
    ) -> Result<Self, RedisError> {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(CONNECT))
            .set_number_of_retries(0);
        let shared = Self {
            redis: ConnectionManager::new_lazy_with_config(Client::open(url)?, config)?,
            patience,
            state: Arc::default(),
        };
        if !shared.answers().await {
            shared.leave("no answer at the start");
        }
        let (watched, stopping) = (shared.clone(), lifecycle.stopping().clone());
        lifecycle.spawn(async move {
            stopping.run_until_cancelled(watched.watch_return()).await;
        });
        Ok(shared)
    }

    pub(super) fn is_away(&self) -> bool {
        self.state.is_away.load(Ordering::Relaxed)
    }

    /// None while Redis is away.
    pub(super) async fn check(&self, group: Group, subject: Subject) -> Option<Verdict> {
        if self.is_away() {
            return None;
        }
        let rate = group.rate();
        let mut redis = self.redis.clone();
        let mut call = SCRIPT.key(account(group, subject.counted()));
        call.arg(rate.interval_us()).arg(rate.burst);
        let answer = timeout(
            self.patience,
            call.invoke_async::<(bool, u64, u64)>(&mut redis),
        )
        .await;
        match answer {
            Ok(Ok((passes, filled_us, wait_us))) => {
                let wait = (!passes).then(|| Duration::from_micros(wait_us));
                Some(rate.verdict(filled_us, wait))
            }
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

    fn leave(&self, reason: &str) {
        if !self.state.is_away.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                reason,
                "Redis is away, limits are kept by this gateway alone"
            );
            metrics::gauge!("gateway_redis_away").set(1.0);
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
            metrics::gauge!("gateway_redis_away").set(0.0);
            tracing::info!("Redis is back");
        }
    }

    /// Whether it answers as fast as requests need it, once connected.
    async fn answers(&self) -> bool {
        self.ping(CONNECT).await && self.ping(self.patience).await
    }

    async fn ping(&self, patience: Duration) -> bool {
        let mut redis = self.redis.clone();
        let ping = redis::cmd("PING");
        let answer = timeout(patience, ping.query_async::<String>(&mut redis)).await;
        matches!(answer, Ok(Ok(_)))
    }
}
