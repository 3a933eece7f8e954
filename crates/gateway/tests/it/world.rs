//! A gateway with a log of its own. People, rooms and messages are put into the log by hand; the
//! services behind it are a few lines that answer what the gateway asks.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_nats::jetstream;
use axum::{
    Json, Router,
    extract::{ConnectInfo, Path, Query},
    http::HeaderMap,
    routing::{get, post},
};
use chrono::{DateTime, Utc};
use clap::Parser;
use doran_contract::{
    ClientMessageId, ErrorCode, MessageId, RoomId, SessionId, UserId,
    command::{
        CHANGE_MESSAGE, ChangeMessage, Changed, Durability, MOVE_READ_MARKER, ReadMarker, Reply,
        SEND_MESSAGES, SendMessage, Sent, SentInOrder,
    },
    events::{
        ChatRoomCreated, FirstMember, MemberJoined, MemberRemoved, MessageEdited, MessageEvent,
        MessageSent, ReadMarkerMoved, RoomEvent, SessionEvent, SessionRevoked, UserCreated,
        UserEvent, UserStatusChanged,
    },
    message::{ContentType, SenderType},
    room::{RoomKind, RoomRole, Visibility},
    session::Revocation,
    subject,
    user::{Role, UserStatus},
};
use doran_eventstore::{Appended, CommandContext, Lane, NewEvent};
use doran_gateway::{Options, Timing, Upstream, Upstreams};
use doran_platform::{
    Clock, Config, Lifecycle, Platform,
    access_token::Signer,
    http::{Health, Refusal, Success, edge, serve},
    keyring::{Keyring, Place},
    profile::PersonalData,
    telemetry::Metrics,
};
use doran_testkit::{NatsUser, TestClock, TestNats};
use futures_util::StreamExt;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde::Serialize;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::client::Client;

pub(crate) const OWN_ORIGIN: &str = "http://chat.example";
/// The only one that the auth service here takes.
pub(crate) const PASSWORD: &str = "correct horse";

pub(crate) struct World {
    pub(crate) nats: TestNats,
    pub(crate) platform: Platform,
    pub(crate) clock: TestClock,
    pub(crate) address: SocketAddr,
    pub(crate) chat: Arc<FakeChat>,
    /// What the auth service gives for the password.
    pub(crate) password_token: Arc<Mutex<Option<String>>>,
    /// Writes events, which the gateway's own user may not.
    pub(crate) lane: Lane,
    keyring: Keyring,
    signer: Signer,
    keys: TempDir,
}

pub(crate) struct Setup {
    pub(crate) redis_url: Option<String>,
    pub(crate) timing: Timing,
    /// Instead of the chat routes in this process.
    pub(crate) chat: Option<Upstream>,
    pub(crate) trusted_proxies: &'static str,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            redis_url: None,
            timing: Timing {
                verify: Duration::from_millis(200),
                ..Timing::default()
            },
            chat: None,
            trusted_proxies: "",
        }
    }
}

#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) id: UserId,
    pub(crate) session: SessionId,
    pub(crate) token: String,
}

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    config: Config,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    pub(crate) async fn with(setup: Setup) -> Self {
        let nats = TestNats::with_streams().await;
        let keys = tempfile::tempdir().unwrap();
        let clock = TestClock::at("2026-03-01T09:00:00Z");
        let platform = Platform::start(
            config(&nats, &keys, &setup),
            Clock::from_fn(clock.reader()),
            Lifecycle::default(),
            "gateway",
        )
        .await
        .unwrap();
        let js = nats.jetstream().await;
        let signer = Signer::open_or_create(&keys.path().join("signing")).unwrap();
        signer.publish(&js, &platform.verifier).await.unwrap();
        let chat = Arc::new(FakeChat::default());
        let password_token: Arc<Mutex<Option<String>>> = Arc::default();
        let upstreams = Upstreams {
            auth: Upstream::InProcess(auth_routes(Arc::clone(&password_token))),
            users: Upstream::InProcess(echo_routes("/api/users")),
            chat: setup
                .chat
                .unwrap_or_else(|| Upstream::InProcess(chat_routes())),
            store: Upstream::Absent,
            batch: Upstream::Absent,
        };
        let world = Self {
            address: start_gateway(&platform, upstreams, setup.timing).await,
            keyring: Keyring::open(&js, &platform.master_key).await.unwrap(),
            lane: Lane::new(js.clone()),
            nats,
            platform,
            clock,
            chat,
            password_token,
            signer,
            keys,
        };
        world.answer_commands(js).await;
        world
    }

    /// One more gateway on the same log; it ends with what is given back.
    pub(crate) async fn another_gateway(&self) -> (SocketAddr, Platform) {
        let platform = Platform::start(
            config(&self.nats, &self.keys, &Setup::default()),
            Clock::from_fn(self.clock.reader()),
            Lifecycle::default(),
            "gateway",
        )
        .await
        .unwrap();
        let upstreams = Upstreams {
            auth: Upstream::InProcess(auth_routes(Arc::clone(&self.password_token))),
            users: Upstream::Absent,
            chat: Upstream::InProcess(chat_routes()),
            store: Upstream::Absent,
            batch: Upstream::Absent,
        };
        let address = start_gateway(&platform, upstreams, Timing::default()).await;
        (address, platform)
    }

    pub(crate) async fn person(&self, name: &str) -> Person {
        let id = UserId::new(self.platform.clock.new_id());
        let session = SessionId::new(self.platform.clock.new_id());
        let key = self.keyring.create(id).await.unwrap();
        let event_id = self.platform.clock.new_id();
        let subject = subject::user(id, "UserCreated");
        let data = PersonalData {
            email: format!("{name}@example.com"),
            first_name: name.to_owned(),
            last_name: "Kim".to_owned(),
            name: name.to_owned(),
            picture: None,
            info: None,
        };
        let sealed = data.seal(&key, subject.clone(), event_id);
        let created = UserCreated {
            user_id: id,
            email_key: format!("{id}"),
            email: sealed.email,
            first_name: sealed.first_name,
            last_name: sealed.last_name,
            name: sealed.name,
            picture: sealed.picture,
            info: sealed.info,
            role: Role::User,
        };
        self.append_as(event_id, subject, "UserCreated", &created)
            .await;
        Person {
            id,
            session,
            token: self.token(id, session, 300),
        }
    }

    pub(crate) fn token(&self, user: UserId, session: SessionId, seconds: u32) -> String {
        let (now, id) = (self.platform.clock.now(), self.platform.clock.new_id());
        let claims = Signer::claims(now, seconds, (user, session, Role::User), id);
        self.signer.sign(&claims).unwrap()
    }

    /// A room that the first of `members` owns.
    pub(crate) async fn room(&self, members: &[&Person]) -> RoomId {
        let room_id = RoomId::new(self.platform.clock.new_id());
        let roles = [RoomRole::Owner]
            .into_iter()
            .chain(std::iter::repeat(RoomRole::Member));
        let created = ChatRoomCreated {
            room_id,
            name: "회의실".to_owned(),
            description: None,
            kind: RoomKind::Group,
            visibility: Visibility::Private,
            owner_id: members[0].id,
            bot_id: None,
            members: members
                .iter()
                .zip(roles)
                .map(|(person, role)| FirstMember {
                    user_id: person.id,
                    role,
                })
                .collect(),
        };
        self.append_room(room_id, created).await;
        room_id
    }

    pub(crate) async fn append_room(&self, room: RoomId, event: impl Into<RoomEvent>) {
        let event = event.into();
        let body = serde_json::to_value(&event).unwrap()["data"].take();
        let subject = subject::room(room, event.name());
        self.append(subject, event.name(), &body).await;
    }

    pub(crate) async fn join(&self, room: RoomId, person: &Person) {
        let joined = MemberJoined {
            room_id: room,
            user_id: person.id,
            role: RoomRole::Member,
            added_by: None,
            invite_key: None,
        };
        self.append_room(room, joined).await;
    }

    pub(crate) async fn remove(&self, room: RoomId, person: &Person, by: Option<&Person>) {
        let removed = MemberRemoved {
            room_id: room,
            user_id: person.id,
            removed_by: by.map(|by| by.id),
        };
        self.append_room(room, removed).await;
    }

    pub(crate) async fn suspend(&self, person: &Person) {
        let changed = UserEvent::from(UserStatusChanged {
            user_id: person.id,
            from: UserStatus::Active,
            to: UserStatus::Suspended,
        });
        let body = serde_json::to_value(&changed).unwrap()["data"].take();
        let subject = subject::user(person.id, changed.name());
        self.append(subject, changed.name(), &body).await;
    }

    pub(crate) async fn revoke(&self, person: &Person) {
        self.revoke_because(person, Revocation::LoggedOut).await;
    }

    pub(crate) async fn revoke_because(&self, person: &Person, reason: Revocation) {
        let revoked = SessionEvent::from(SessionRevoked {
            session_id: person.session,
            user_id: person.id,
            reason,
        });
        let body = serde_json::to_value(&revoked).unwrap()["data"].take();
        let subject = subject::session(person.session, revoked.name());
        self.append(subject, revoked.name(), &body).await;
    }

    /// Puts a message into the log; its sequence.
    pub(crate) async fn say(&self, room: RoomId, sender: &Person, content: &str) -> u64 {
        let id = self.platform.clock.new_id().to_string();
        self.say_as(room, sender, &id, content).await.sequence
    }

    pub(crate) async fn say_as(
        &self,
        room: RoomId,
        sender: &Person,
        client_message_id: &str,
        content: &str,
    ) -> Appended {
        self.try_say(room, sender.id, client_message_id, content)
            .await
            .unwrap()
    }

    pub(crate) async fn try_say(
        &self,
        room: RoomId,
        sender: UserId,
        client_message_id: &str,
        content: &str,
    ) -> Result<Appended, doran_eventstore::AppendError> {
        let log = Log {
            lane: self.lane.clone(),
            keyring: self.keyring.clone(),
        };
        log.say(&self.context(), (room, sender), client_message_id, content)
            .await
    }

    /// The same message once more, under an event id that the log has not seen.
    pub(crate) async fn repeat(
        &self,
        room: RoomId,
        sender: &Person,
        client_message_id: &str,
    ) -> u64 {
        let log = Log {
            lane: self.lane.clone(),
            keyring: self.keyring.clone(),
        };
        let event_id = self.platform.clock.new_id();
        let client_message_id = ClientMessageId::try_from(client_message_id.to_owned()).unwrap();
        log.append_message(
            &self.context(),
            (room, sender.id),
            (event_id, client_message_id),
            "again",
        )
        .await
        .unwrap()
        .sequence
    }

    /// Puts something that happens to a message into the log; its sequence.
    pub(crate) async fn change(&self, room: RoomId, event: impl Into<MessageEvent>) -> u64 {
        let event = event.into();
        let body = serde_json::to_value(&event).unwrap()["data"].take();
        self.append(subject::message(room, event.name()), event.name(), &body)
            .await
    }

    /// The author says something else; the sequence of the edit.
    pub(crate) async fn edit(
        &self,
        room_id: RoomId,
        author: &Person,
        message_id: MessageId,
        content: &str,
    ) -> u64 {
        let event_id = self.platform.clock.new_id();
        let subject = subject::message(room_id, "MessageEdited");
        let place = Place {
            subject: &subject,
            event_id,
            field: "content",
        };
        let edited = MessageEdited {
            message_id,
            room_id,
            content: self.keyring.seal(author.id, place, content).await.unwrap(),
            mentions: None,
        };
        self.append_as(event_id, subject.clone(), "MessageEdited", &edited)
            .await
    }

    /// The sequence of the event that moves the marker.
    pub(crate) async fn mark_read(&self, room: RoomId, person: &Person, seq: u64) -> u64 {
        let moved = MessageEvent::from(ReadMarkerMoved {
            room_id: room,
            user_id: person.id,
            seq,
        });
        let body = serde_json::to_value(&moved).unwrap()["data"].take();
        self.append(subject::message(room, moved.name()), moved.name(), &body)
            .await
    }

    pub(crate) async fn append(
        &self,
        subject: String,
        event_type: &str,
        body: &impl Serialize,
    ) -> u64 {
        self.append_as(self.platform.clock.new_id(), subject, event_type, body)
            .await
    }

    async fn append_as(
        &self,
        event_id: uuid::Uuid,
        subject: String,
        event_type: &str,
        body: &impl Serialize,
    ) -> u64 {
        let event = NewEvent {
            subject,
            event_type,
            version: 1,
            event_id,
            body: serde_json::to_vec(body).unwrap().into(),
            ctx: &self.context(),
        };
        self.lane.append(event).await.unwrap().sequence
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) async fn connect(&self) -> Client {
        Client::connect(self.address, "/ws", &[]).await.unwrap()
    }

    /// A socket that is logged in; hello and ok have been read.
    pub(crate) async fn log_in(&self, person: &Person) -> Client {
        let mut client = self.connect().await;
        client.log_in(&person.token).await;
        client
    }

    /// A socket that is logged in and subscribed to a room; everything up to `caughtUp` was read.
    pub(crate) async fn subscribe(&self, person: &Person, room: RoomId) -> Client {
        let mut client = self.log_in(person).await;
        client.subscribe(room).await;
        client
    }

    async fn answer_commands(&self, js: jetstream::Context) {
        let nats = js.client();
        let mut sends = nats.subscribe(SEND_MESSAGES).await.unwrap();
        let mut reads = nats.subscribe(MOVE_READ_MARKER).await.unwrap();
        let mut changes = nats.subscribe(CHANGE_MESSAGE).await.unwrap();
        nats.flush().await.unwrap();
        let log = Log {
            lane: self.lane.clone(),
            keyring: self.keyring.clone(),
        };
        let (chat, now, lifecycle) = (
            Arc::clone(&self.chat),
            self.clock.now(),
            self.platform.lifecycle.clone(),
        );
        let stopping = lifecycle.stopping().clone();
        lifecycle.spawn(async move {
            let answering = async {
                loop {
                    tokio::select! {
                        Some(message) = sends.next() => {
                            let reply = chat.send(&log, now, &message.payload).await;
                            if let Some(reply) = reply {
                                nats.publish(message.reply.unwrap(), reply.into()).await.unwrap();
                            }
                        }
                        Some(message) = changes.next() => {
                            let command: ChangeMessage =
                                serde_json::from_slice(&message.payload).unwrap();
                            let text = serde_json::to_string(&command.change).unwrap();
                            chat.received.lock().unwrap().push(text);
                            let reply = Reply::Accepted(Changed { seq: 8 });
                            let reply = serde_json::to_vec(&reply).unwrap();
                            nats.publish(message.reply.unwrap(), reply.into()).await.unwrap();
                        }
                        Some(message) = reads.next() => {
                            let reply = Reply::Accepted(ReadMarker { seq: 7 });
                            let reply = serde_json::to_vec(&reply).unwrap();
                            nats.publish(message.reply.unwrap(), reply.into()).await.unwrap();
                        }
                    }
                }
            };
            stopping.run_until_cancelled(Box::pin(answering)).await;
        });
    }

    fn context(&self) -> CommandContext {
        context(self.clock.now(), self.platform.clock.new_id())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.platform.lifecycle.stopping().cancel();
    }
}

/// What stands for the chat service: it stores messages and knows nothing else.
#[derive(Default)]
pub(crate) struct FakeChat {
    pub(crate) is_silent: std::sync::atomic::AtomicBool,
    pub(crate) received: Mutex<Vec<String>>,
}

impl FakeChat {
    async fn send(&self, log: &Log, now: DateTime<Utc>, payload: &[u8]) -> Option<Vec<u8>> {
        let commands: Vec<SendMessage> = serde_json::from_slice(payload).unwrap();
        let contents = commands.iter().map(|command| command.content.clone());
        self.received.lock().unwrap().extend(contents);
        if self.is_silent.load(std::sync::atomic::Ordering::Relaxed) {
            return None;
        }
        let mut outcomes = Vec::new();
        for command in commands {
            outcomes.push(Self::store(log, now, command).await);
        }
        Some(serde_json::to_vec(&Reply::Accepted(SentInOrder { outcomes })).unwrap())
    }

    async fn store(log: &Log, now: DateTime<Utc>, command: SendMessage) -> Reply<Sent> {
        if command.content == "forbidden" {
            return Reply::Refused {
                code: ErrorCode::RoomInactive,
                message: "the room is archived".to_owned(),
            };
        }
        let (room, sender) = (command.room_id, command.sender_id);
        let client_id = command.client_message_id;
        let message_id = MessageId::derive(room, sender, &client_id);
        let stored = log
            .say(
                &context(now, message_id.as_uuid()),
                (room, sender),
                &client_id.to_string(),
                &command.content,
            )
            .await
            .unwrap();
        Reply::Accepted(Sent {
            message_id,
            seq: stored.sequence,
            created_at: stored.time.into(),
            duplicate: stored.duplicate,
            durability: Durability::Fsync,
        })
    }
}

struct Log {
    lane: Lane,
    keyring: Keyring,
}

impl Log {
    async fn say(
        &self,
        ctx: &CommandContext,
        (room_id, sender_id): (RoomId, UserId),
        client_message_id: &str,
        content: &str,
    ) -> Result<Appended, doran_eventstore::AppendError> {
        let client_id = ClientMessageId::try_from(client_message_id.to_owned()).unwrap();
        let event_id = MessageId::derive(room_id, sender_id, &client_id).as_uuid();
        self.append_message(ctx, (room_id, sender_id), (event_id, client_id), content)
            .await
    }

    async fn append_message(
        &self,
        ctx: &CommandContext,
        (room_id, sender_id): (RoomId, UserId),
        (event_id, client_message_id): (uuid::Uuid, ClientMessageId),
        content: &str,
    ) -> Result<Appended, doran_eventstore::AppendError> {
        let subject = subject::message(room_id, "MessageSent");
        let place = Place {
            subject: &subject,
            event_id,
            field: "content",
        };
        let sent = MessageSent {
            message_id: MessageId::derive(room_id, sender_id, &client_message_id),
            room_id,
            sender_id,
            sender_type: SenderType::User,
            content: self.keyring.seal(sender_id, place, content).await.unwrap(),
            content_type: ContentType::Text,
            client_message_id,
            reply_to: None,
            mentions: Vec::new(),
            attachments: Vec::new(),
        };
        let event = NewEvent {
            event_type: "MessageSent",
            version: 1,
            event_id,
            body: serde_json::to_vec(&sent).unwrap().into(),
            ctx,
            subject,
        };
        self.lane.append(event).await
    }
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    room_id: RoomId,
}

/// The few chat routes that the gateway asks by itself.
fn chat_routes() -> Router {
    let page = async |Path(_): Path<String>,
                      axum::extract::RawQuery(query): axum::extract::RawQuery| {
        let head = query.map_or(0, |query| query.len());
        Success::ok(json!({ "items": [], "hasBefore": false, "hasAfter": false, "head": head }))
    };
    echo_routes("/api/chat")
        .route(
            "/api/chat/rooms/{id}/read",
            get(async || Success::ok(json!({ "seq": 42 }))),
        )
        .route(
            "/api/chat/sync",
            get(
                async |Query(Asked { room_id }): Query<Asked>, headers: HeaderMap| {
                    // As a service would that has got so far and no further.
                    let position = headers["doran-min-position"].to_str().unwrap();
                    let (_, sequence) = position.split_once(':').unwrap();
                    let sequence: u64 = sequence.parse().unwrap();
                    Success::ok(json!({ "rooms": [{
                    "roomId": room_id, "epoch": "e", "head": 0, "readSeq": 7,
                    "unreadCount": sequence, "mentionCount": 1, "lastMessage": null,
                }] }))
                },
            ),
        )
        .route("/api/chat/rooms/{id}/messages", get(page))
        .route(
            "/api/chat/refused",
            get(async || Refusal::new(ErrorCode::NotMember, "not a member")),
        )
}

/// A service that logs people in who know the password, until they have logged out.
fn auth_routes(token: Arc<Mutex<Option<String>>>) -> Router {
    let standing = Arc::clone(&token);
    let log_out = async move |headers: HeaderMap| {
        let mut token = standing.lock().unwrap();
        let bearer = token.take().map(|token| format!("Bearer {token}"));
        assert_eq!(headers["authorization"], bearer.unwrap());
        Success::ok(json!({ "sessionIds": [] }))
    };
    let log_in = async move |address: ConnectInfo<SocketAddr>, body: Json<Value>| {
        assert!(address.ip().is_loopback());
        let token = token.lock().unwrap().clone();
        match token.filter(|_| body["password"] == PASSWORD) {
            Some(token) => Ok(Success::ok(json!({
                "accessToken": token, "tokenType": "Bearer",
            }))),
            None => Err(Refusal::new(
                ErrorCode::InvalidCredentials,
                "no such account, or another password",
            )),
        }
    };
    echo_routes("/api/auth")
        .route("/api/auth/login", post(log_in))
        .route("/api/auth/logout", post(log_out))
}

/// A service that says what it was asked.
pub(crate) fn echo_routes(prefix: &str) -> Router {
    let echo = async |request: axum::extract::Request| {
        let headers: serde_json::Map<_, _> = request
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap_or_default())))
            .collect();
        let (method, uri) = (request.method().to_string(), request.uri().to_string());
        let Ok(body) = axum::body::to_bytes(request.into_body(), 1 << 20).await else {
            return Err(Refusal::new(ErrorCode::BadRequest, "not whole"));
        };
        Ok(Success::ok(json!({
            "method": method,
            "uri": uri,
            "headers": headers,
            "body": String::from_utf8_lossy(&body),
        })))
    };
    let health = async || Success::ok(json!({ "status": "UP" }));
    Router::new()
        .route(&format!("{prefix}/echo"), axum::routing::any(echo))
        .route(
            &format!("{prefix}/users/{{id}}/role"),
            axum::routing::any(echo),
        )
        .route(
            &format!("{prefix}/things/{{id}}"),
            get(async |Path(id): Path<String>| Success::ok(id)),
        )
        .route(&format!("{prefix}/health"), get(health))
}

async fn start_gateway(platform: &Platform, upstreams: Upstreams, timing: Timing) -> SocketAddr {
    let listener = bind().await;
    let metrics = Metrics::of(PrometheusBuilder::new().build_recorder().handle());
    let options = Options {
        own_origins: vec![OWN_ORIGIN.to_owned()],
        timing,
        address: Some(listener.local_addr().unwrap()),
        ..Options::new(upstreams, Health::default(), metrics)
    };
    let routes = doran_gateway::start(platform, options).await.unwrap();
    listen_on(platform, listener, routes)
}

pub(crate) async fn listen(platform: &Platform, routes: Router) -> SocketAddr {
    listen_on(platform, bind().await, routes)
}

async fn bind() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap()
}

fn listen_on(platform: &Platform, listener: TcpListener, routes: Router) -> SocketAddr {
    let address = listener.local_addr().unwrap();
    let routes = edge(routes, platform.clock.clone());
    let lifecycle = platform.lifecycle.clone();
    platform.lifecycle.spawn(async move {
        serve(listener, routes, &lifecycle).await;
    });
    address
}

fn context(time: DateTime<Utc>, command_id: uuid::Uuid) -> CommandContext {
    CommandContext {
        command_id,
        time,
        actor: None,
        fingerprint: None,
        expected_sequence: None,
        correlation_id: None,
        causation_id: None,
        traceparent: None,
        source: "test",
    }
}

/// The gateway runs as the user that has its rights alone.
fn config(nats: &TestNats, keys: &TempDir, setup: &Setup) -> Config {
    let mut arguments = vec![
        "test".to_owned(),
        "--dev".to_owned(),
        format!("--nats-url={}", nats.url()),
        "--nats-user=gateway".to_owned(),
        format!("--nats-password={}", nats.password(NatsUser::Gateway)),
        format!("--master-key-file={}", keys.path().join("master").display()),
    ];
    if !setup.trusted_proxies.is_empty() {
        arguments.push(format!("--trusted-proxies={}", setup.trusted_proxies));
    }
    if setup.redis_url.is_none() {
        arguments.push("--no-limits".to_owned());
    }
    let redis_url = setup.redis_url.as_deref();
    let redis_url = redis_url.unwrap_or("redis://127.0.0.1:1");
    arguments.push(format!("--redis-url={redis_url}"));
    Arguments::parse_from(arguments).config
}
