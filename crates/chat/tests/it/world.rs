//! The service with servers of its own, and people who are logged in.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use axum::http::Method;
use chrono::{DateTime, TimeDelta};
use clap::Parser;
use doran_contract::{
    ClientMessageId, FileId, MessageId, RoomId, SessionId, UserId,
    events::{
        AttachedFile, MessageSent, UserCreated, UserDeleted, UserErased, UserRoleChanged,
        UserStatusChanged,
    },
    message::{ContentType, SenderType},
    subject,
    user::{Role, UserStatus},
};
use doran_eventstore::{CommandContext, Lane, LogReader, NewEvent, Position, event_id};
use doran_platform::{
    Clock, Config, Lifecycle, Platform,
    access_token::Signer,
    attachments::name_field,
    keyring::{DataKey, Place},
    profile::PersonalData,
};
use doran_testkit::{Api, Call, Reply, TestDatabase, TestNats, TestPostgres, TestRedis};
use serde::Serialize;
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

/// Where nothing listens.
const NO_REDIS: &str = "redis://127.0.0.1:1";

pub(crate) struct World {
    pub(crate) api: Api,
    pub(crate) platform: Platform,
    pub(crate) nats: TestNats,
    config: Config,
    signer: Signer,
    _database: Option<TestDatabase>,
    _keys: TempDir,
}

/// Somebody with an account.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) id: UserId,
    pub(crate) token: String,
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
        Self::with(&url, NO_REDIS, Some(database)).await
    }

    pub(crate) async fn start_with(redis: &TestRedis) -> Self {
        let database = TestPostgres::database().await;
        let url = database.url().to_owned();
        Self::with(&url, redis.url(), Some(database)).await
    }

    pub(crate) async fn start_on(postgres: &TestPostgres) -> Self {
        Self::with(postgres.url(), NO_REDIS, None).await
    }

    async fn with(database_url: &str, redis_url: &str, database: Option<TestDatabase>) -> Self {
        let nats = TestNats::with_streams().await;
        let keys = tempfile::tempdir().unwrap();
        let config = config(&nats, (database_url, redis_url), &keys);
        let signer = Signer::open_or_create(config.signing_key_file.as_deref().unwrap()).unwrap();
        let platform = platform(&config).await;
        signer
            .publish(&platform.js, &platform.verifier)
            .await
            .unwrap();
        let role = doran_chat::start(&platform).await.unwrap();
        Self {
            api: Api::new(role.routes),
            platform,
            nats,
            config,
            signer,
            _database: database,
            _keys: keys,
        }
    }

    /// Ends the service and starts it again, with nothing in memory.
    pub(crate) async fn restart(&mut self) {
        self.platform.lifecycle.stop().await;
        self.platform = platform(&self.config).await;
        let role = doran_chat::start(&self.platform).await.unwrap();
        self.api = Api::new(role.routes);
    }

    pub(crate) async fn person(&self, name: &str) -> Person {
        let id = UserId::new(self.platform.clock.new_id());
        let key = self.platform.keyring.create(id).await.unwrap();
        let personal = PersonalData {
            email: format!("{name}@example.com"),
            first_name: name.to_owned(),
            last_name: "Kim".to_owned(),
            name: name.to_owned(),
            picture: Some(format!("https://example.com/{name}.png")),
            info: None,
        };
        let ctx = self.context();
        let subject = subject::user(id, "UserCreated");
        let sealed = personal.seal(&key, subject.clone(), event_id(ctx.command_id, 0));
        let created = UserCreated {
            user_id: id,
            email_key: name.to_owned(),
            email: sealed.email,
            first_name: sealed.first_name,
            last_name: sealed.last_name,
            name: sealed.name,
            picture: sealed.picture,
            info: sealed.info,
            role: Role::User,
        };
        self.append(subject, "UserCreated", &created, &ctx).await;
        let token = self.token(id);
        Person { id, token }
    }

    /// Somebody with the role `ROLE_ADMIN`.
    pub(crate) async fn admin(&self, name: &str) -> Person {
        let person = self.person(name).await;
        let promoted = UserRoleChanged {
            user_id: person.id,
            from: Role::User,
            to: Role::Admin,
        };
        let subject = subject::user(person.id, "UserRoleChanged");
        self.append(subject, "UserRoleChanged", &promoted, &self.context())
            .await;
        until(async || {
            let account = self.platform.users.get(person.id);
            account.is_some_and(|account| account.role == Role::Admin)
        })
        .await;
        person
    }

    /// Makes somebody's account rest, and waits until the service has heard of it.
    pub(crate) async fn rest(&self, person: &Person) {
        self.change_status(person, UserStatus::Inactive).await;
        until(async || {
            let account = self.platform.users.get(person.id).unwrap();
            account.status == UserStatus::Inactive
        })
        .await;
    }

    /// As the user service does it.
    pub(crate) async fn change_status(&self, person: &Person, to: UserStatus) {
        let changed = UserStatusChanged {
            user_id: person.id,
            from: self.platform.users.get(person.id).unwrap().status,
            to,
        };
        let subject = subject::user(person.id, "UserStatusChanged");
        self.append(subject, "UserStatusChanged", &changed, &self.context())
            .await;
    }

    /// As the user service does it.
    pub(crate) async fn delete(&self, person: &Person) {
        let deleted = UserDeleted {
            user_id: person.id,
            email_key: "ab12".to_owned(),
        };
        let subject = subject::user(person.id, "UserDeleted");
        self.append(subject, "UserDeleted", &deleted, &self.context())
            .await;
    }

    /// As the user service does it: the account, the key, the note of it.
    pub(crate) async fn erase(&self, person: &Person) {
        self.delete(person).await;
        self.platform.keyring.destroy(person.id).await.unwrap();
        let user_id = person.id;
        let subject = subject::user(user_id, "UserErased");
        let erased = UserErased { user_id };
        self.append(subject, "UserErased", &erased, &self.context())
            .await;
    }

    fn token(&self, user: UserId) -> String {
        let session = SessionId::new(Uuid::from_u128(7));
        let (now, id) = (self.platform.clock.now(), self.platform.clock.new_id());
        let claims = Signer::claims(now, 3600, (user, session, Role::User), id);
        self.signer.sign(&claims).unwrap()
    }

    fn context(&self) -> CommandContext {
        CommandContext {
            command_id: self.platform.clock.new_id(),
            time: self.platform.clock.now(),
            actor: None,
            fingerprint: None,
            expected_sequence: None,
            correlation_id: None,
            causation_id: None,
            traceparent: None,
            source: "test",
        }
    }

    async fn append(
        &self,
        subject: String,
        event_type: &str,
        body: &impl Serialize,
        ctx: &CommandContext,
    ) {
        let event = NewEvent {
            subject,
            event_type,
            version: 1,
            event_id: event_id(ctx.command_id, 0),
            body: serde_json::to_vec(body).unwrap().into(),
            ctx,
        };
        let lane = Lane::new(self.platform.js.clone());
        lane.append(event).await.unwrap();
    }

    pub(crate) fn get(&self, person: &Person, path: &str) -> Call {
        self.api.get(path).bearer(&person.token)
    }

    pub(crate) fn post(&self, person: &Person, path: &str, body: &Value) -> Call {
        self.api.post(path, body).bearer(&person.token)
    }

    pub(crate) fn call(&self, method: Method, person: &Person, path: &str) -> Call {
        self.api.call(method, path).bearer(&person.token)
    }

    /// Reads what a command led to.
    pub(crate) async fn read_after(&self, command: &Reply, person: &Person, path: &str) -> Reply {
        let position = command.header("doran-position");
        assert!(!position.is_empty(), "{} {}", command.status, command.body);
        self.get(person, path)
            .header("doran-min-position", position)
            .send()
            .await
    }

    /// A private room of `owner` and `others`.
    pub(crate) async fn room(&self, owner: &Person, others: &[&Person]) -> RoomId {
        let ids: Vec<_> = others.iter().map(|person| person.id).collect();
        let body = json!({ "name": "회의", "memberIds": ids });
        let reply = self.post(owner, "/api/chat/rooms", &body).send().await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        reply.data()["id"].as_str().unwrap().parse().unwrap()
    }

    pub(crate) fn send(&self, person: &Person, room: RoomId, body: &Value) -> Call {
        self.post(person, &format!("/api/chat/rooms/{room}/messages"), body)
    }

    /// Says something new; the answer.
    pub(crate) async fn say(&self, person: &Person, room: RoomId, content: &str) -> Reply {
        let reply = self
            .send(person, room, &json!({ "content": content }))
            .send()
            .await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        reply
    }

    /// Puts a message into the log that was sealed some time ago, with files of these names.
    pub(crate) async fn arrive(
        &self,
        key: &DataKey,
        person: &Person,
        room_id: RoomId,
        content: &str,
        files: &[&str],
    ) {
        let mut ctx = self.context();
        let client_message_id = ClientMessageId::try_from(ctx.command_id.to_string()).unwrap();
        let message_id = MessageId::derive(room_id, person.id, &client_message_id);
        ctx.command_id = message_id.as_uuid();
        let subject = subject::message(room_id, "MessageSent");
        let event_id = event_id(ctx.command_id, 0);
        let place = Place {
            subject: &subject,
            event_id,
            field: "content",
        };
        let attach = |(index, name): (usize, &&str)| {
            let field = &name_field(index);
            AttachedFile {
                file_id: FileId::new(self.platform.clock.new_id()),
                name: key.seal(Place { field, ..place }, name),
                media_type: "text/plain".to_owned(),
                size: 1,
                width: None,
                height: None,
            }
        };
        let sent = MessageSent {
            message_id,
            room_id,
            sender_id: person.id,
            sender_type: SenderType::User,
            content: key.seal(place, content),
            content_type: ContentType::Text,
            client_message_id,
            reply_to: None,
            mentions: Vec::new(),
            attachments: files.iter().enumerate().map(attach).collect(),
        };
        self.append(subject.clone(), "MessageSent", &sent, &ctx)
            .await;
    }

    /// PostgreSQL, as the service reaches it.
    pub(crate) fn pool(&self) -> sqlx::PgPool {
        doran_platform::database::pool(&self.config, "chat").unwrap()
    }

    /// The sequence of a stream's last event.
    pub(crate) async fn head(&self, stream: &str) -> u64 {
        let log = LogReader::new(self.nats.jetstream().await, stream);
        log.head().await.unwrap()
    }

    /// Every message of a stream as it lies there: subject, headers and payload.
    pub(crate) async fn raw(&self, stream: &str) -> Vec<String> {
        let log = LogReader::new(self.nats.jetstream().await, stream);
        let events = log.read(">", 1, 10_000).await.unwrap();
        events
            .iter()
            .map(|event| {
                let payload = String::from_utf8_lossy(&event.payload);
                format!("{} {:?} {payload}", event.subject, event.headers)
            })
            .collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.platform.lifecycle.stopping().cancel();
    }
}

/// The sequence in an answer's `Doran-Position`.
pub(crate) fn sequence(reply: &Reply) -> u64 {
    let position: Position = reply.header("doran-position").parse().unwrap();
    position.sequence
}

/// Waits for what follows the log by itself.
pub(crate) async fn until(is_so: impl AsyncFn() -> bool) {
    for _ in 0..1000 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not come to be so in ten seconds");
}

async fn platform(config: &Config) -> Platform {
    Platform::start(config.clone(), clock(), Lifecycle::default(), "test")
        .await
        .unwrap()
}

/// Every look at it is a millisecond later, so that things happen one after the other.
fn clock() -> Clock {
    static LOOKS: AtomicI64 = AtomicI64::new(0);
    let start: DateTime<chrono::Utc> = "2026-03-01T09:00:00Z".parse().unwrap();
    Clock::from_fn(move || {
        let look = LOOKS.fetch_add(1, Ordering::Relaxed);
        start + TimeDelta::milliseconds(look)
    })
}

fn config(nats: &TestNats, (database, redis): (&str, &str), keys: &TempDir) -> Config {
    let path = |name: &str| -> PathBuf { keys.path().join(name) };
    let mut arguments = vec![
        "test".to_owned(),
        "--dev".to_owned(),
        format!("--database-url={database}"),
        format!("--redis-url={redis}"),
        format!("--master-key-file={}", path("master").display()),
        format!("--signing-key-file={}", path("signing").display()),
    ];
    for (name, value) in nats.variables() {
        let flag = name.to_lowercase().replace('_', "-");
        if ["nats-url", "nats-user", "nats-password"].contains(&flag.as_str()) {
            arguments.push(format!("--{flag}={value}"));
        }
    }
    Arguments::parse_from(arguments).config
}
