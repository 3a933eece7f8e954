//! The service with servers of its own, beside the user service, and people who log in.

use std::{path::PathBuf, time::Duration};

use clap::Parser;
use doran_contract::UserId;
use doran_platform::{Clock, Config, Lifecycle, Platform, access_token::Signer};
use doran_testkit::{Api, Reply, TestClock, TestDatabase, TestNats, TestPostgres};
use serde_json::json;
use tempfile::TempDir;

pub(crate) const EMAIL: &str = "kim@example.com";
pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) struct World {
    pub(crate) api: Api,
    pub(crate) platform: Platform,
    pub(crate) nats: TestNats,
    pub(crate) clock: TestClock,
    database_url: String,
    keys: TempDir,
    /// After the platform, which is connected to it.
    _database: Option<TestDatabase>,
}

/// What a log-in or refresh gave.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) session: String,
}

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    config: Config,
}

impl World {
    pub(crate) async fn start() -> Self {
        let database = TestPostgres::database().await;
        let url = database.url().to_owned();
        Self::start_with(url, Some(database)).await
    }

    pub(crate) async fn start_on(postgres: &TestPostgres) -> Self {
        Self::start_with(postgres.url().to_owned(), None).await
    }

    async fn start_with(database_url: String, database: Option<TestDatabase>) -> Self {
        let nats = TestNats::with_streams().await;
        let keys = tempfile::tempdir().unwrap();
        let clock = TestClock::at("2026-03-01T09:00:00Z");
        let (platform, api) = start(&nats, &database_url, &keys, &clock).await;
        Self {
            api,
            platform,
            nats,
            clock,
            database_url,
            keys,
            _database: database,
        }
    }

    /// Another process of the same system.
    pub(crate) async fn second(&self) -> Api {
        let (_, api) = start(&self.nats, &self.database_url, &self.keys, &self.clock).await;
        api
    }

    pub(crate) async fn register(&self, email: &str) -> UserId {
        let body = json!({
            "email": email, "password": PASSWORD, "firstName": "민수", "lastName": "김",
        });
        let reply = self.api.post("/api/users", &body).send().await;
        reply.data()["id"].as_str().unwrap().parse().unwrap()
    }

    /// Registers Kim and logs them in.
    pub(crate) async fn kim(&self) -> Tokens {
        self.register(EMAIL).await;
        self.log_in(EMAIL).await
    }

    pub(crate) async fn log_in(&self, email: &str) -> Tokens {
        tokens(&self.try_log_in(email, PASSWORD).await)
    }

    pub(crate) async fn try_log_in(&self, email: &str, password: &str) -> Reply {
        let body = json!({ "email": email, "password": password, "device": "Kim's phone" });
        self.api.post("/api/auth/login", &body).send().await
    }

    pub(crate) async fn try_refresh(&self, refresh_token: &str) -> Reply {
        let body = json!({ "refreshToken": refresh_token });
        self.api.post("/api/auth/refresh", &body).send().await
    }

    pub(crate) async fn me(&self, access_token: &str) -> Reply {
        self.api
            .get("/api/auth/me")
            .bearer(access_token)
            .send()
            .await
    }

    /// Waits until the process has heard that the session of this token ended.
    pub(crate) async fn until_refused(&self, access_token: &str) {
        until(async || self.me(access_token).await.status == 401).await;
    }

    pub(crate) fn signing_key(&self) -> PathBuf {
        self.keys.path().join("signing")
    }

    pub(crate) fn signer(&self) -> Signer {
        Signer::open(&self.signing_key()).unwrap()
    }

    /// The bodies of all events of the stream `SESSION`, with their type.
    pub(crate) async fn session_events(&self) -> Vec<String> {
        let log = doran_eventstore::LogReader::new(self.platform.js.clone(), "SESSION");
        let events = log.read("session.*.*", 1, 10_000).await.unwrap();
        let line = |event: &doran_eventstore::Recorded| {
            let body = String::from_utf8_lossy(&event.payload);
            format!("{} {:?} {body}", event.event_type, event.headers)
        };
        events.iter().map(line).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.platform.lifecycle.stopping().cancel();
    }
}

pub(crate) fn tokens(reply: &Reply) -> Tokens {
    let text = |name: &str| reply.data()[name].as_str().unwrap().to_owned();
    Tokens {
        access: text("accessToken"),
        refresh: text("refreshToken"),
        session: text("sessionId"),
    }
}

/// Waits for what follows the log by itself.
pub(crate) async fn until(is_so: impl AsyncFn() -> bool) {
    for _ in 0..400 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not come to be so in four seconds");
}

async fn start(
    nats: &TestNats,
    database_url: &str,
    keys: &TempDir,
    clock: &TestClock,
) -> (Platform, Api) {
    let config = config(nats, database_url, keys);
    let clock = Clock::from_fn(clock.reader());
    let platform = Platform::start(config, clock, Lifecycle::default(), "test")
        .await
        .unwrap();
    let users = doran_user::start(&platform).await.unwrap();
    let auth = doran_auth::start(&platform).await.unwrap();
    (platform, Api::new(users.routes.merge(auth.routes)))
}

fn config(nats: &TestNats, database_url: &str, keys: &TempDir) -> Config {
    let path = |name: &str| keys.path().join(name).display().to_string();
    let mut arguments = vec![
        "test".to_owned(),
        "--dev".to_owned(),
        format!("--database-url={database_url}"),
        format!("--master-key-file={}", path("master")),
        format!("--signing-key-file={}", path("signing")),
    ];
    for (name, value) in nats.variables() {
        let flag = name.to_lowercase().replace('_', "-");
        if ["nats-url", "nats-user", "nats-password"].contains(&flag.as_str()) {
            arguments.push(format!("--{flag}={value}"));
        }
    }
    Arguments::parse_from(arguments).config
}
