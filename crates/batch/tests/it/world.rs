//! The service with servers of its own, in one process or in several, and a log that tests write.

use std::time::Duration;

use async_nats::HeaderMap;
use clap::Parser;
use doran_batch::Timing;
use doran_contract::{SessionId, Timestamp, UserId, subject, user::Role};
use doran_eventstore::envelope;
use doran_platform::{
    Clock, Config, Lifecycle, Platform, access_token::Signer, http::Health, secret::MasterKey,
};
use doran_testkit::{Api, TestClock, TestDatabase, TestNats, TestPostgres};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

pub(crate) const ADMIN: UserId = UserId::new(Uuid::from_u128(0xad));

pub(crate) struct World {
    pub(crate) nats: TestNats,
    pub(crate) database: TestDatabase,
    signer: Signer,
    pub(crate) clock: TestClock,
    folder: TempDir,
}

/// One process of the service.
pub(crate) struct Process {
    pub(crate) api: Api,
    pub(crate) platform: Platform,
    pub(crate) token: String,
    health: Health,
}

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    config: Config,
}

/// No test waits for a real process to be given up.
pub(crate) fn impatient() -> Timing {
    Timing {
        ack_wait: Duration::from_millis(600),
        first_pause: Duration::from_millis(20),
        tries: 3,
        arrange_every: Duration::from_mins(1),
    }
}

impl Process {
    /// What the probe `jobs` says.
    pub(crate) async fn ill(&self) -> Option<String> {
        let report = self.health.report().await;
        let jobs = report.dependencies.into_iter();
        jobs.filter(|(name, _)| *name == "jobs")
            .find_map(|(_, state)| state.err())
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        MasterKey::open_or_create(&folder.path().join("master")).unwrap();
        let signer = Signer::open_or_create(&folder.path().join("signing")).unwrap();
        let world = Self {
            nats: TestNats::with_streams().await,
            database: TestPostgres::database().await,
            signer,
            clock: TestClock::at("2026-03-02T09:00:00Z"),
            folder,
        };
        world.user(ADMIN, "ROLE_ADMIN").await;
        world
    }

    /// Starts one more process of the service.
    pub(crate) async fn process(&self) -> Process {
        let clock = Clock::from_fn(self.clock.reader());
        let platform = Platform::start(self.config(), clock, Lifecycle::default(), "batch");
        let platform = platform.await.unwrap();
        let published = self.signer.publish(&platform.js, &platform.verifier);
        published.await.unwrap();
        let role = doran_batch::start_with(&platform, impatient());
        let role = role.await.unwrap();
        let probes = role.probes.into_iter();
        Process {
            api: Api::new(role.routes),
            health: probes.fold(Health::default(), Health::with),
            token: self.token(&platform, ADMIN),
            platform,
        }
    }

    pub(crate) async fn start() -> (Self, Process) {
        let world = Self::new().await;
        let process = world.process().await;
        (world, process)
    }

    pub(crate) fn token(&self, platform: &Platform, user: UserId) -> String {
        let session = SessionId::new(Uuid::from_u128(7));
        let (now, id) = (platform.clock.now(), platform.clock.new_id());
        let claims = Signer::claims(now, 10 * 365 * 86_400, (user, session, Role::User), id);
        self.signer.sign(&claims).unwrap()
    }

    fn config(&self) -> Config {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        let mut arguments = vec![
            "test".to_owned(),
            format!("--database-url={}", self.database.url()),
            format!("--master-key-file={}", path("master")),
        ];
        for (name, value) in self.nats.variables() {
            let flag = name.to_lowercase().replace('_', "-");
            if ["nats-url", "nats-user", "nats-password"].contains(&flag.as_str()) {
                arguments.push(format!("--{flag}={value}"));
            }
        }
        Arguments::parse_from(arguments).config
    }

    /// Writes an event as its service would; its time is the clock's.
    pub(crate) async fn event(&self, subject: String, body: Value) {
        let event_type = subject.rsplit('.').next().unwrap().to_owned();
        let mut headers = HeaderMap::new();
        headers.insert(envelope::EVENT_TYPE, event_type);
        headers.insert(envelope::VERSION, "1");
        headers.insert(envelope::TIME, self.clock.now().to_rfc3339());
        let js = self.nats.jetstream().await;
        let sent = js.publish_with_headers(subject, headers, body.to_string().into());
        sent.await.unwrap().await.unwrap();
    }

    pub(crate) async fn user(&self, user: UserId, role: &str) {
        let sealed = json!({ "key": user, "data": "AA" });
        let body = json!({
            "userId": user,
            "emailKey": user.to_string(),
            "email": sealed,
            "firstName": sealed,
            "lastName": sealed,
            "name": sealed,
            "picture": null,
            "info": null,
            "role": role,
        });
        self.event(subject::user(user, "UserCreated"), body).await;
    }
}

impl World {
    pub(crate) async fn status(&self, user: UserId, from: &str, to: &str) {
        let body = json!({ "userId": user, "from": from, "to": to });
        self.event(subject::user(user, "UserStatusChanged"), body)
            .await;
    }

    pub(crate) async fn log_in(&self, user: UserId) {
        let id = Uuid::from_u128(user.as_uuid().as_u128() << 32 | self.seconds());
        let session = SessionId::new(id);
        let now = Timestamp::from(self.clock.now());
        let body = json!({
            "sessionId": session,
            "userId": user,
            "device": null,
            "refreshTokenHash": "ab",
            "startedAt": now,
            "expiresAt": now,
        });
        let subject = subject::session(session, "SessionStarted");
        self.event(subject, body).await;
    }

    fn seconds(&self) -> u128 {
        u128::try_from(self.clock.now().timestamp()).unwrap()
    }

    pub(crate) fn days_pass(&self, days: u64) {
        self.clock.advance(Duration::from_hours(24 * days));
    }
}

impl Process {
    pub(crate) async fn get(&self, path: &str) -> Value {
        let reply = self.api.get(path).bearer(&self.token).send().await;
        reply.data().clone()
    }

    /// Wants a job run; the run's id.
    pub(crate) async fn run(&self, job: &str, body: &Value) -> String {
        let path = format!("/api/batch/jobs/{job}/runs");
        let reply = self.api.post(&path, body).bearer(&self.token).send().await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        let id = reply.data()["id"].as_str().unwrap().to_owned();
        assert_eq!(reply.header("location"), format!("/api/batch/runs/{id}"));
        id
    }

    /// The run as it ended.
    pub(crate) async fn ended(&self, run: &str) -> Value {
        let path = format!("/api/batch/runs/{run}");
        for _ in 0..1000 {
            let reply = self.api.get(&path).bearer(&self.token).send().await;
            if reply.status == 200 && reply.data()["state"] != "running" {
                return reply.data().clone();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the run {run} does not end");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.platform.lifecycle.stopping().cancel();
    }
}

/// Waits for what comes to be so by itself.
pub(crate) async fn until(is_so: impl AsyncFn() -> bool) {
    for _ in 0..1000 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not come to be so in ten seconds");
}
