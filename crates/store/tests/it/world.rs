//! The service with servers of its own, people who are logged in, and rooms in which they talk.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, header},
};
use chrono::{DateTime, TimeDelta};
use clap::Parser;
use doran_contract::{
    ClientMessageId, FileId, MessageId, RoomId, SessionId, UserId,
    events::{
        AttachedFile, ChatRoomCreated, FirstMember, MemberRemoved, MessageDeleted, MessageEdited,
        MessageSent, UserCreated, UserDeleted,
    },
    message::{ContentType, SenderType},
    room::{RoomKind, RoomRole, Visibility},
    subject,
    user::Role,
};
use doran_eventstore::{CommandContext, Lane, LogReader, NewEvent, event_id};
use doran_platform::{
    Clock, Config, Lifecycle, Platform, access_token::Signer, attachments::name_field,
    keyring::Place, profile::PersonalData,
};
use doran_testkit::{Api, Call, Reply, TestDatabase, TestNats, TestPostgres};
use futures_util::StreamExt;
use serde::Serialize;
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt;
use uuid::Uuid;

pub(crate) struct World {
    pub(crate) api: Api,
    pub(crate) routes: Router,
    pub(crate) platform: Platform,
    pub(crate) nats: TestNats,
    /// How far the clock was put forward.
    ahead: Arc<AtomicI64>,
    config: Config,
    signer: Signer,
    _database: TestDatabase,
    _keys: TempDir,
}

/// A message that was sent.
#[derive(Clone, Copy)]
pub(crate) struct Said {
    pub(crate) room: RoomId,
    pub(crate) id: MessageId,
}

/// An answer with bytes.
pub(crate) struct Bytes {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Bytes {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    config: Config,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    pub(crate) async fn with(arguments: &[&str]) -> Self {
        let nats = TestNats::with_streams().await;
        let database = TestPostgres::database().await;
        let keys = tempfile::tempdir().unwrap();
        let config = config(&nats, database.url(), &keys, arguments);
        let signer = Signer::open_or_create(config.signing_key_file.as_deref().unwrap()).unwrap();
        let ahead = Arc::new(AtomicI64::new(0));
        let platform = platform(&config, &ahead).await;
        signer
            .publish(&platform.js, &platform.verifier)
            .await
            .unwrap();
        let role = doran_store::start(&platform).await.unwrap();
        Self {
            api: Api::new(role.routes.clone()),
            routes: role.routes,
            platform,
            nats,
            ahead,
            config,
            signer,
            _database: database,
            _keys: keys,
        }
    }

    /// Ends the service and starts it again, with nothing in memory.
    pub(crate) async fn restart(&mut self) {
        self.platform.lifecycle.stop().await;
        self.platform = platform(&self.config, &self.ahead).await;
        let role = doran_store::start(&self.platform).await.unwrap();
        self.api = Api::new(role.routes.clone());
        self.routes = role.routes;
    }

    pub(crate) fn put_forward(&self, by: TimeDelta) {
        self.ahead
            .fetch_add(by.num_milliseconds(), Ordering::Relaxed);
    }

    pub(crate) async fn person(&self, name: &str) -> UserId {
        self.person_as(name, Role::User).await
    }

    pub(crate) async fn person_as(&self, name: &str, role: Role) -> UserId {
        let id = UserId::new(self.platform.clock.new_id());
        let key = self.platform.keyring.create(id).await.unwrap();
        let personal = PersonalData {
            email: format!("{name}@example.com"),
            first_name: name.to_owned(),
            last_name: "Kim".to_owned(),
            name: name.to_owned(),
            picture: None,
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
            role,
        };
        self.append(subject, "UserCreated", &created, &ctx).await;
        id
    }

    /// As the user service does it.
    pub(crate) async fn delete_person(&self, user: UserId) {
        let deleted = UserDeleted {
            user_id: user,
            email_key: "ab12".to_owned(),
        };
        let subject = subject::user(user, "UserDeleted");
        self.append(subject, "UserDeleted", &deleted, &self.context())
            .await;
    }

    pub(crate) async fn room(&self, members: &[UserId]) -> RoomId {
        let room_id = RoomId::new(self.platform.clock.new_id());
        let roles = [RoomRole::Owner]
            .into_iter()
            .chain(std::iter::repeat(RoomRole::Member));
        let members: Vec<_> = members
            .iter()
            .zip(roles)
            .map(|(user_id, role)| FirstMember {
                user_id: *user_id,
                role,
            })
            .collect();
        let created = ChatRoomCreated {
            room_id,
            name: "회의실".to_owned(),
            description: None,
            kind: RoomKind::Group,
            bot_id: None,
            visibility: Visibility::Private,
            owner_id: members[0].user_id,
            members,
        };
        let subject = subject::room(room_id, "ChatRoomCreated");
        self.append(subject, "ChatRoomCreated", &created, &self.context())
            .await;
        room_id
    }

    pub(crate) async fn remove_member(&self, room_id: RoomId, user_id: UserId) {
        let removed = MemberRemoved {
            room_id,
            user_id,
            removed_by: None,
        };
        let subject = subject::room(room_id, "MemberRemoved");
        self.append(subject, "MemberRemoved", &removed, &self.context())
            .await;
    }

    pub(crate) async fn say(&self, sender: UserId, room: RoomId, content: &str) -> Said {
        self.send(sender, room, content, &[]).await
    }

    /// As the chat service does it.
    pub(crate) async fn send(
        &self,
        sender_id: UserId,
        room_id: RoomId,
        content: &str,
        files: &[FileId],
    ) -> Said {
        let client_message_id = ClientMessageId::from(self.platform.clock.new_id());
        let message_id = MessageId::derive(room_id, sender_id, &client_message_id);
        let ctx = CommandContext {
            command_id: message_id.as_uuid(),
            ..self.context()
        };
        let subject = subject::message(room_id, "MessageSent");
        let key = self.platform.keyring.key(sender_id).await.unwrap().unwrap();
        let seal = |field: &str, text: &str| {
            let place = Place {
                subject: &subject,
                event_id: event_id(ctx.command_id, 0),
                field,
            };
            key.seal(place, text)
        };
        let attachments = files.iter().enumerate().map(|(index, file)| AttachedFile {
            file_id: *file,
            name: seal(&name_field(index), "사진.png"),
            media_type: "image/png".to_owned(),
            size: 1,
            width: Some(1),
            height: Some(1),
        });
        let sent = MessageSent {
            message_id,
            room_id,
            sender_id,
            sender_type: SenderType::User,
            content: seal("content", content),
            content_type: ContentType::Text,
            client_message_id,
            reply_to: None,
            mentions: Vec::new(),
            attachments: attachments.collect(),
        };
        self.append(subject.clone(), "MessageSent", &sent, &ctx)
            .await;
        Said {
            room: room_id,
            id: message_id,
        }
    }

    pub(crate) async fn edit(&self, sender: UserId, said: Said, content: &str) {
        let ctx = self.context();
        let subject = subject::message(said.room, "MessageEdited");
        let place = Place {
            subject: &subject,
            event_id: event_id(ctx.command_id, 0),
            field: "content",
        };
        let edited = MessageEdited {
            message_id: said.id,
            room_id: said.room,
            content: self
                .platform
                .keyring
                .seal(sender, place, content)
                .await
                .unwrap(),
            mentions: None,
        };
        self.append(subject.clone(), "MessageEdited", &edited, &ctx)
            .await;
    }

    pub(crate) async fn unsay(&self, by: UserId, said: Said) {
        let deleted = MessageDeleted {
            message_id: said.id,
            room_id: said.room,
            deleted_by: by,
        };
        let subject = subject::message(said.room, "MessageDeleted");
        self.append(subject, "MessageDeleted", &deleted, &self.context())
            .await;
    }

    pub(crate) fn bearer(&self, user: UserId) -> String {
        format!("Bearer {}", self.token(user))
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

    pub(crate) fn call(&self, method: Method, user: UserId, path: &str) -> Call {
        self.api.call(method, path).bearer(&self.token(user))
    }

    pub(crate) fn get(&self, user: UserId, path: &str) -> Call {
        self.call(Method::GET, user, path)
    }

    pub(crate) fn post(&self, user: UserId, path: &str, body: &Value) -> Call {
        self.call(Method::POST, user, path).json(body)
    }

    pub(crate) fn delete(&self, user: UserId, path: &str) -> Call {
        self.call(Method::DELETE, user, path)
    }

    /// An upload of (name, content type, bytes).
    pub(crate) fn upload(&self, user: UserId, files: &[(&str, &str, &[u8])]) -> Call {
        let body = form(files);
        let length = body.len().to_string();
        self.call(Method::POST, user, "/api/store/files")
            .header(header::CONTENT_LENGTH.as_str(), &length)
            .raw("multipart/form-data; boundary=XX", body)
    }

    /// The id of one file that was uploaded.
    pub(crate) async fn uploaded(&self, user: UserId, name: &str, bytes: &[u8]) -> FileId {
        let reply = self.upload(user, &[(name, "", bytes)]).send().await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        file_id(&reply)
    }

    /// The bytes under a path.
    pub(crate) async fn fetch(&self, user: UserId, path: &str, headers: &[(&str, &str)]) -> Bytes {
        self.fetch_by(Method::GET, user, path, headers).await
    }

    pub(crate) async fn fetch_by(
        &self,
        method: Method,
        user: UserId,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Bytes {
        let bearer = format!("Bearer {}", self.token(user));
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, bearer);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        let answer = self.routes.clone().oneshot(request).await.unwrap();
        Bytes {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            body: to_bytes(answer.into_body(), usize::MAX)
                .await
                .unwrap()
                .to_vec(),
        }
    }

    /// Everything that a stream holds, as bytes.
    pub(crate) async fn raw(&self, stream: &str) -> Vec<u8> {
        let log = LogReader::new(self.nats.jetstream().await, stream);
        let messages = log.read(">", 1, 10_000).await.unwrap();
        let bytes = messages.iter().flat_map(|message| {
            let head = format!("{} {:?}", message.subject, message.headers);
            head.into_bytes()
                .into_iter()
                .chain(message.payload.to_vec())
        });
        bytes.collect()
    }

    /// How many messages a stream holds.
    pub(crate) async fn count(&self, stream: &str) -> u64 {
        let mut stream = self
            .nats
            .jetstream()
            .await
            .get_stream(stream)
            .await
            .unwrap();
        stream.info().await.unwrap().state.messages
    }

    /// How many pieces of files lie in the object store.
    pub(crate) async fn pieces(&self) -> usize {
        let js = self.nats.jetstream().await;
        let stream = js.get_stream("OBJ_FILES").await.unwrap();
        let subjects = stream.info_with_subjects("$O.FILES.C.>").await.unwrap();
        subjects.count().await
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.platform.lifecycle.stopping().cancel();
    }
}

pub(crate) fn form(files: &[(&str, &str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, content_type, bytes) in files {
        body.extend_from_slice(
            b"--XX\r\nContent-Disposition: form-data; name=\"files\"; filename=\"",
        );
        body.extend_from_slice(name.as_bytes());
        body.extend_from_slice(b"\"\r\n");
        if !content_type.is_empty() {
            body.extend_from_slice(format!("Content-Type: {content_type}\r\n").as_bytes());
        }
        body.extend_from_slice(b"\r\n");
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--XX--\r\n");
    body
}

pub(crate) fn file_id(reply: &Reply) -> FileId {
    let id = &reply.data()["items"][0]["id"];
    id.as_str().unwrap().parse().unwrap()
}

pub(crate) fn path(file: FileId) -> String {
    format!("/api/store/files/{file}")
}

/// A picture of so many pixels.
pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([x.to_le_bytes()[0], y.to_le_bytes()[0], 7])
    });
    picture
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
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

async fn platform(config: &Config, ahead: &Arc<AtomicI64>) -> Platform {
    let clock = clock(Arc::clone(ahead));
    Platform::start(config.clone(), clock, Lifecycle::default(), "test")
        .await
        .unwrap()
}

/// Every look at it is a millisecond later, so that things happen one after the other.
fn clock(ahead: Arc<AtomicI64>) -> Clock {
    static LOOKS: AtomicI64 = AtomicI64::new(0);
    let start: DateTime<chrono::Utc> = "2026-03-01T09:00:00Z".parse().unwrap();
    Clock::from_fn(move || {
        let look = LOOKS.fetch_add(1, Ordering::Relaxed) + ahead.load(Ordering::Relaxed);
        start + TimeDelta::milliseconds(look)
    })
}

fn config(nats: &TestNats, database_url: &str, keys: &TempDir, more: &[&str]) -> Config {
    let path = |name: &str| -> PathBuf { keys.path().join(name) };
    let mut arguments = vec![
        "test".to_owned(),
        "--dev".to_owned(),
        format!("--database-url={database_url}"),
        format!("--master-key-file={}", path("master").display()),
        format!("--signing-key-file={}", path("signing").display()),
        "--collect-seconds=1".to_owned(),
    ];
    for (name, value) in nats.variables() {
        let flag = name.to_lowercase().replace('_', "-");
        if ["nats-url", "nats-user", "nats-password"].contains(&flag.as_str()) {
            arguments.push(format!("--{flag}={value}"));
        }
    }
    arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
    Arguments::parse_from(arguments).config
}
