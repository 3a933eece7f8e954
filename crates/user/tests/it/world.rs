//! The service with servers of its own, and people who are logged in.

use async_nats::jetstream::stream::DirectGetErrorKind;
use clap::Parser;
use doran_contract::{SessionId, UserId, user::Role};
use doran_platform::{Clock, Config, Lifecycle, Platform, access_token::Signer};
use doran_testkit::{Api, Reply, TestClock, TestDatabase, TestNats, TestPostgres};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

pub(crate) struct World {
    pub(crate) api: Api,
    pub(crate) routes: axum::Router,
    pub(crate) platform: Platform,
    pub(crate) nats: TestNats,
    pub(crate) database: TestDatabase,
    signer: Signer,
    pub(crate) folder: TempDir,
}

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    config: Config,
}

pub(crate) const PASSWORD: &str = "correct horse battery";

impl World {
    pub(crate) async fn start() -> Self {
        let nats = TestNats::with_streams().await;
        let database = TestPostgres::database().await;
        let keys = tempfile::tempdir().unwrap();
        let config = config(&nats, &database, &keys);
        let signer = Signer::open_or_create(config.signing_key_file.as_deref().unwrap()).unwrap();
        let clock = TestClock::at("2026-03-01T09:00:00Z");
        let clock = Clock::from_fn(clock.reader());
        let lifecycle = Lifecycle::default();
        let platform = Platform::start(config, clock, lifecycle, "test")
            .await
            .unwrap();
        signer
            .publish(&platform.js, &platform.verifier)
            .await
            .unwrap();
        let role = doran_user::start(&platform).await.unwrap();
        Self {
            api: Api::new(role.routes.clone()),
            routes: role.routes,
            platform,
            nats,
            database,
            signer,
            folder: keys,
        }
    }

    /// Registers somebody with an address and a family name followed by a given name.
    pub(crate) async fn register(&self, email: &str, name: (&str, &str)) -> Reply {
        let reply = self
            .api
            .post("/api/users", &registration(email, name))
            .send()
            .await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        reply
    }

    /// Registers somebody; their id and an access token of theirs.
    pub(crate) async fn person(&self, email: &str, name: (&str, &str)) -> (UserId, String) {
        let id = id_of(self.register(email, name).await.data());
        (id, self.token(id))
    }

    /// As [`World::person`], and made administrator.
    pub(crate) async fn admin(&self) -> (UserId, String) {
        let (id, token) = self.person("admin@example.com", ("Root", "Ada")).await;
        let changed = doran_user::admin::promote(&self.platform, "admin@example.com").await;
        assert_eq!(changed.unwrap().user.role, Some(Role::Admin));
        // Authorisation follows the log by itself; it is only waited for here.
        for _ in 0..1000 {
            if self.platform.users.get(id).map(|account| account.role) == Some(Role::Admin) {
                return (id, token);
            }
            tokio::task::yield_now().await;
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        panic!("the directory does not follow the log");
    }

    pub(crate) fn token(&self, user: UserId) -> String {
        let session = SessionId::new(Uuid::from_u128(7));
        let (now, id) = (self.platform.clock.now(), self.platform.clock.new_id());
        let claims = Signer::claims(now, 300, (user, session, Role::User), id);
        self.signer.sign(&claims).unwrap()
    }

    /// Every message of a stream as it lies there: subject, headers and payload.
    pub(crate) async fn raw(&self, stream: &str) -> Vec<String> {
        let js = self.nats.jetstream().await;
        let mut stream = js.get_stream(stream).await.unwrap();
        let last = stream.info().await.unwrap().state.last_sequence;
        let mut messages = Vec::new();
        for sequence in 1..=last {
            match stream.direct_get(sequence).await {
                Ok(message) => messages.push(format!(
                    "{} {:?} {}",
                    message.subject,
                    message.headers,
                    String::from_utf8_lossy(&message.payload)
                )),
                Err(error) => assert_eq!(error.kind(), DirectGetErrorKind::NotFound),
            }
        }
        messages
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.platform.lifecycle.stopping().cancel();
    }
}

fn config(nats: &TestNats, database: &TestDatabase, keys: &TempDir) -> Config {
    let path = |name: &str| keys.path().join(name).display().to_string();
    let mut arguments = vec![
        "test".to_owned(),
        "--dev".to_owned(),
        format!("--database-url={}", database.url()),
        format!("--master-key-file={}", path("master")),
        format!("--signing-key-file={}", path("signing")),
        format!("--mail-dir={}", path("")),
    ];
    for (name, value) in nats.variables() {
        let flag = name.to_lowercase().replace('_', "-");
        if ["nats-url", "nats-user", "nats-password"].contains(&flag.as_str()) {
            arguments.push(format!("--{flag}={value}"));
        }
    }
    Arguments::parse_from(arguments).config
}

pub(crate) fn registration(email: &str, (last_name, first_name): (&str, &str)) -> Value {
    json!({
        "email": email,
        "password": PASSWORD,
        "firstName": first_name,
        "lastName": last_name,
    })
}

pub(crate) fn id_of(user: &Value) -> UserId {
    user["id"].as_str().unwrap().parse().unwrap()
}

/// Waits for what follows the log by itself.
pub(crate) async fn until(is_so: impl AsyncFn() -> bool) {
    for _ in 0..400 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("it did not come to be so in four seconds");
}
