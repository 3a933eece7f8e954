//! Two people chat through the front door, over HTTP and over a socket.

use std::time::Duration;

use doran_testkit::check_answer;
use futures_util::{SinkExt, StreamExt};
use reqwest::{Client, Method, RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use crate::system::System;

const PATIENCE: Duration = Duration::from_secs(20);
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A person with an account, logged in.
pub(crate) struct Person {
    http: Client,
    base: String,
    pub(crate) token: String,
    pub(crate) id: String,
}

fn email(name: &str) -> String {
    format!("{name}@example.com")
}

/// What a call was answered with.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) position: Option<String>,
    pub(crate) data: Value,
}

impl Person {
    pub(crate) async fn register(system: &System, name: &str) -> Self {
        Self::stranger(system).register_as(name).await
    }

    /// Makes the account that a stranger wants.
    pub(crate) async fn register_as(self, name: &str) -> Self {
        let registration = json!({
            "email": email(name), "password": PASSWORD, "firstName": name, "lastName": "Kim",
        });
        let registered = self.post("/api/users", &registration).await;
        assert_eq!(
            registered.status,
            StatusCode::CREATED,
            "{}",
            registered.data
        );
        self.log_in_as(name).await
    }

    /// Somebody who has an account already.
    pub(crate) async fn log_in(system: &System, name: &str) -> Self {
        Self::stranger(system).log_in_as(name).await
    }

    pub(crate) async fn log_in_as(mut self, name: &str) -> Self {
        let login = json!({ "email": email(name), "password": PASSWORD });
        let logged_in = self.post("/api/auth/login", &login).await;
        assert_eq!(logged_in.status, StatusCode::OK, "{}", logged_in.data);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        self.token = text(&logged_in.data["accessToken"]);
        self.id = text(&logged_in.data["user"]["id"]);
        self
    }

    /// Somebody without an account.
    pub(crate) fn stranger(system: &System) -> Self {
        Self::at(system.gateway.base())
    }

    /// Somebody without an account at another gateway.
    pub(crate) fn at(base: String) -> Self {
        Self {
            http: Client::new(),
            base,
            token: String::new(),
            id: String::new(),
        }
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        let request = self.request(Method::POST, path).json(body);
        Reply::of(&self.http, request).await
    }

    /// Reads what is at least as new as `position`.
    pub(crate) async fn get(&self, path: &str, position: &str) -> Reply {
        let request = self
            .request(Method::GET, path)
            .header("doran-min-position", position);
        Reply::of(&self.http, request).await
    }

    pub(crate) async fn patch(&self, path: &str) -> Reply {
        self.call(Method::PATCH, path, None).await
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Reply {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        Reply::of(&self.http, request).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: &Value) -> Reply {
        let request = self.request(method, path).json(body);
        Reply::of(&self.http, request).await
    }

    /// Goes on with the same token after the gateway got another port.
    pub(crate) fn move_to(&mut self, system: &System) {
        self.base = system.gateway.base();
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        let request = self.request(Method::DELETE, path);
        Reply::of(&self.http, request).await
    }

    /// Uploads a file of that name; its id.
    pub(crate) async fn upload(&self, name: &str, bytes: &[u8]) -> String {
        let mut body = format!(
            "--XX\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n--XX--\r\n");
        let request = self
            .request(Method::POST, "/api/store/files")
            .header("content-type", "multipart/form-data; boundary=XX")
            .body(body);
        let reply = Reply::of(&self.http, request).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.data);
        reply.data["items"][0]["id"].as_str().unwrap().to_owned()
    }

    /// The bytes under a path, and the headers that came with them.
    pub(crate) async fn fetch(&self, path: &str) -> (StatusCode, HeaderMap, Vec<u8>) {
        let request = self
            .request(Method::GET, path)
            .header("accept-encoding", "gzip");
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        (status, headers, answer.bytes().await.unwrap().to_vec())
    }

    pub(crate) async fn socket(&self) -> Socket {
        let url = format!("{}/ws", self.base.replace("http", "ws"));
        let mut request = url.into_client_request().unwrap();
        request
            .headers_mut()
            .insert("sec-websocket-protocol", "doran.v1".parse().unwrap());
        let (stream, _) = connect_async(request).await.unwrap();
        let mut socket = Socket(stream);
        socket.until("hello").await;
        socket
            .send(json!({ "id": 1, "type": "auth", "token": self.token }))
            .await;
        assert_eq!(socket.until("ok").await["user"]["id"], self.id);
        socket
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        if self.token.is_empty() {
            request
        } else {
            request.bearer_auth(&self.token)
        }
    }
}

impl Reply {
    async fn of(http: &Client, request: RequestBuilder) -> Self {
        let request = request.build().unwrap();
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let response = http.execute(request).await.unwrap();
        let status = response.status();
        let position = response.headers().get("doran-position");
        let position = position.map(|value| value.to_str().unwrap().to_owned());
        let bytes = response.bytes().await.unwrap();
        // An export is no JSON.
        let mut answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        check_answer(method.as_str(), &path, status.as_u16(), &answer);
        let data = if status.is_success() {
            answer["data"].take()
        } else {
            answer
        };
        Self {
            status,
            position,
            data,
        }
    }
}

pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub(crate) async fn send(&mut self, frame: Value) {
        self.0.send(Message::text(frame.to_string())).await.unwrap();
    }

    /// The next frame of this type; others before it are passed over.
    pub(crate) async fn until(&mut self, kind: &str) -> Value {
        loop {
            let frame = timeout(PATIENCE, self.0.next())
                .await
                .unwrap_or_else(|_| panic!("{kind}"));
            let text = frame.unwrap().unwrap().into_text().unwrap();
            let Ok(frame) = serde_json::from_str::<Value>(&text) else {
                continue;
            };
            assert_ne!(frame["type"], "error", "{frame}");
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    /// The next refusal.
    pub(crate) async fn until_error(&mut self) -> Value {
        loop {
            let next = timeout(PATIENCE, self.0.next()).await.unwrap();
            let text = next.unwrap().unwrap().into_text().unwrap();
            match serde_json::from_str::<Value>(&text) {
                Ok(frame) if frame["type"] == "error" => return frame,
                Ok(_) | Err(_) => {}
            }
        }
    }

    /// Until so much is said to be unread.
    async fn until_unread(&mut self, count: u64) {
        while self.until("unread").await["unreadCount"] != count {}
    }

    /// The code it is closed with.
    pub(crate) async fn closed(&mut self) -> Option<u16> {
        loop {
            match timeout(PATIENCE, self.0.next()).await.unwrap() {
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }
}

async fn two_people_chat(system: &System) {
    let lee = Person::register(system, "lee").await;
    let kim = Person::register(system, "kim").await;
    let room = json!({ "name": "회의", "memberIds": [kim.id] });
    let created = lee.post("/api/chat/rooms", &room).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.data);
    let room = created.data["id"].as_str().unwrap();
    let rooms = kim.get("/api/chat/rooms", &created.position.unwrap()).await;
    assert_eq!(rooms.data["items"][0]["name"], "회의", "{}", rooms.data);

    let mut socket = kim.socket().await;
    socket
        .send(json!({ "id": 2, "type": "subscribe", "roomId": room }))
        .await;
    assert_eq!(socket.until("ok").await["roomId"], room);
    let messages = format!("/api/chat/rooms/{room}/messages");
    let sent = lee.post(&messages, &json!({ "content": "안녕" })).await;
    assert_eq!(sent.status, StatusCode::CREATED, "{}", sent.data);
    let live = socket.until("message").await;
    assert_eq!(live["message"]["content"], "안녕");
    assert_eq!(live["seq"], sent.data["seq"]);

    socket
        .send(json!({
            "id": 3, "type": "send", "roomId": room, "clientMessageId": "m-1", "content": "네",
        }))
        .await;
    let ack = socket.until("ack").await;
    assert_eq!(ack["id"], 3);
    assert_eq!(ack["durability"], "fsync");

    let position = format!("MESSAGE:{}", ack["seq"]);
    let history = lee.get(&messages, &position).await;
    let contents: Vec<_> = history.data["items"]
        .as_array()
        .unwrap_or_else(|| panic!("{}", history.data))
        .iter()
        .map(|message| (message["senderId"].clone(), message["content"].clone()))
        .collect();
    assert_eq!(
        contents,
        [(json!(lee.id), json!("안녕")), (json!(kim.id), json!("네"))]
    );
}

/// What is said changes, and all devices know what is unread of it.
async fn what_is_said_changes(system: &System) {
    let choi = Person::register(system, "choi").await;
    let park = Person::register(system, "park").await;
    let room = json!({ "name": "회의", "memberIds": [park.id] });
    let room = choi.post("/api/chat/rooms", &room).await;
    let room = room.data["id"].as_str().unwrap();
    let (mut desk, mut phone) = (park.socket().await, park.socket().await);
    desk.send(json!({ "id": 2, "type": "subscribe", "roomId": room }))
        .await;
    desk.until("caughtUp").await;
    let messages = format!("/api/chat/rooms/{room}/messages");
    let said = choi.post(&messages, &json!({ "content": "안녕" })).await;
    let message = said.data["id"].as_str().unwrap();
    desk.until("message").await;
    phone.until_unread(1).await;

    desk.send(json!({ "id": 3, "type": "typing", "roomId": room, "on": true }))
        .await;
    assert_eq!(desk.until("ok").await["on"], true);
    desk.send(json!({
        "id": 4, "type": "react", "roomId": room, "messageId": message, "emoji": "👍",
    }))
    .await;
    assert_eq!(desk.until("reaction").await["messageId"], message);
    let deleted = choi.delete(&format!("{messages}/{message}")).await;
    assert_eq!(deleted.status, StatusCode::OK, "{}", deleted.data);
    assert_eq!(desk.until("messageDeleted").await["messageId"], message);
    phone.until_unread(0).await;
}

/// Nothing but each role's bucket of first answers can tell.
async fn what_changed_nothing_is_known_again(system: &System) {
    let admin = Person::register(system, "again").await;
    let promoted = system.run(&["users", "promote", &email("again")]).await;
    assert_eq!(promoted.code, 0);
    let room = json!({ "name": "그대로" });
    let created = admin.post("/api/chat/rooms", &room).await;
    let room_path = format!("/api/chat/rooms/{}", created.data["id"].as_str().unwrap());
    let said = json!({ "content": "남길 말" });
    let said = admin.post(&format!("{room_path}/messages"), &said).await;
    let kept = json!({ "messageId": said.data["id"], "roomId": said.data["roomId"] });
    let bookmark = admin.post("/api/store/bookmarks", &kept).await;
    assert_eq!(bookmark.status, StatusCode::CREATED, "{}", bookmark.data);
    let mut noted = kept.clone();
    noted["note"] = json!("나중에");
    for (method, path, body, other) in [
        (Method::PATCH, room_path, room, json!({ "name": "다른 것" })),
        (Method::POST, "/api/store/bookmarks".to_owned(), kept, noted),
        (
            Method::PATCH,
            format!("/api/users/{}", admin.id),
            json!({ "lastName": "Kim" }),
            json!({ "lastName": "Lee" }),
        ),
        (
            Method::POST,
            "/api/auth/ws-ticket".to_owned(),
            json!({}),
            json!({ "other": 1 }),
        ),
        (
            Method::PATCH,
            "/api/batch/jobs/daily-report".to_owned(),
            json!({ "paused": false }),
            json!({ "paused": true }),
        ),
    ] {
        let keyed = async |body: &Value| {
            let request = admin.request(method.clone(), &path).json(body);
            Reply::of(&admin.http, request.header("idempotency-key", "same")).await
        };
        let first = keyed(&body).await;
        assert_eq!(first.status, StatusCode::OK, "{path}: {}", first.data);
        let again = keyed(&body).await;
        assert_eq!((again.status, again.data), (first.status, first.data));
        assert_eq!(keyed(&other).await.status, StatusCode::CONFLICT, "{path}");
    }
}

#[tokio::test]
async fn two_people_chat_through_one_process() {
    let system = System::in_one_process().await;
    two_people_chat(&system).await;
    what_is_said_changes(&system).await;
}

#[tokio::test]
async fn two_people_chat_through_a_process_for_each_role() {
    let system = System::in_separate_processes().await;
    two_people_chat(&system).await;
    what_is_said_changes(&system).await;
    what_changed_nothing_is_known_again(&system).await;
    // What a role may not publish shows as a violation in its log.
    for process in system.services.iter().chain([&system.gateway]) {
        assert!(
            !process.log().contains("ermissions Violation"),
            "{}",
            process.log()
        );
    }
}

#[tokio::test]
async fn what_people_say_is_in_no_log_line() {
    let system = System::in_one_process().await;
    two_people_chat(&system).await;
    let log = system.gateway.log();
    assert!(log.contains("\"message\":\"listening\""), "{log}");
    for secret in ["안녕", "회의", "lee@example.com", PASSWORD] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}

#[tokio::test]
async fn a_process_that_is_asked_to_end_tells_its_sockets_to_come_back_and_ends_well() {
    let system = System::in_one_process().await;
    let kim = Person::register(&system, "kim").await;
    let mut socket = kim.socket().await;
    let gateway = system.gateway;
    let ending = tokio::task::spawn_blocking(|| gateway.terminate());
    assert_eq!(socket.closed().await, Some(4001));
    assert_eq!(ending.await.unwrap(), Some(0));
}
