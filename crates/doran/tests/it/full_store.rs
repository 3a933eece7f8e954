//! A server has no room left: what is refused, what goes on, and who is told.

use std::time::Duration;

use async_nats::{HeaderMap, jetstream::stream};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    chat::{PASSWORD, Person, Reply},
    system::System,
};

const ROOM_BYTES: u64 = 4 << 20;
const PIECE_BYTES: usize = 64 << 10;
/// Much less than what the log is waited for.
const AT_ONCE: Duration = Duration::from_secs(2);
/// How full the store is is asked every five seconds.
const NOTICED: Duration = Duration::from_secs(30);

/// Leaves no room, and answers with the name of the stream that has it.
async fn fill(system: &System) -> &'static str {
    let js = async_nats::jetstream::new(system.nats_client().await);
    let filler = stream::Config {
        name: "FILLER".to_owned(),
        subjects: vec!["filler".to_owned()],
        ..stream::Config::default()
    };
    js.create_stream(filler).await.unwrap();
    let piece = vec![0_u8; PIECE_BYTES];
    let pieces = usize::try_from(ROOM_BYTES).unwrap() / PIECE_BYTES;
    for _ in 0..=pieces {
        let sent = js.publish_with_headers("filler", HeaderMap::new(), piece.clone().into());
        if sent.await.unwrap().await.is_err() {
            return "FILLER";
        }
    }
    panic!("the store takes more than its limit");
}

fn assert_full(reply: &Reply, asked: Instant) {
    let took = asked.elapsed();
    assert_eq!(
        (reply.status, reply.data["errorCode"].as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, Some("LOG_FULL")),
        "{}",
        reply.data
    );
    assert!(took < AT_ONCE, "{took:?}");
}

/// The id of a room of the person's own.
async fn new_room(person: &Person) -> String {
    let room = json!({ "name": "room" });
    let room = person.post("/api/chat/rooms", &room).await;
    room.data["id"].as_str().unwrap().to_owned()
}

fn messages_of(room: &str) -> String {
    format!("/api/chat/rooms/{room}/messages")
}

/// What `/health/ready` says, once it has that status.
async fn readiness(system: &System, status: &str) -> Value {
    let url = format!("{}/health/ready", system.gateway.base());
    let asking = async {
        loop {
            let answer = reqwest::get(&url).await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK, "reading goes on");
            let body: Value = answer.json().await.unwrap();
            if body["status"] == status {
                return body;
            }
            sleep(Duration::from_millis(200)).await;
        }
    };
    timeout(NOTICED, asking).await.unwrap()
}

#[tokio::test]
async fn a_full_store_refuses_commands_at_once_and_readiness_tells_of_it_until_there_is_room() {
    let system = System::with_room(ROOM_BYTES).await;
    let kim = Person::register(&system, "kim").await;
    let room = new_room(&kim).await;
    let messages = messages_of(&room);
    let before = kim.post(&messages, &json!({ "content": "before" })).await;
    let mut socket = kim.socket().await;
    readiness(&system, "UP").await;

    let filler = fill(&system).await;

    let asked = Instant::now();
    let message = kim.post(&messages, &json!({ "content": "too late" })).await;
    assert_full(&message, asked);
    let asked = Instant::now();
    let other = kim
        .post("/api/chat/rooms", &json!({ "name": "another" }))
        .await;
    assert_full(&other, asked);
    let lee = json!({
        "email": "lee@example.com", "password": PASSWORD, "firstName": "Lee", "lastName": "Lee",
    });
    let asked = Instant::now();
    assert_full(&kim.post("/api/users", &lee).await, asked);
    let login = json!({ "email": "kim@example.com", "password": PASSWORD });
    let asked = Instant::now();
    assert_full(&kim.post("/api/auth/login", &login).await, asked);
    let asked = Instant::now();
    let frame = json!({
        "id": 7, "type": "send", "roomId": room, "content": "too late as well",
        "clientMessageId": "late",
    });
    socket.send(frame).await;
    let refused = socket.until_error().await;
    assert_eq!(refused["code"], "UNAVAILABLE", "{refused}");
    assert!(asked.elapsed() < AT_ONCE, "{refused}");
    let history = kim.get(&messages, &before.position.unwrap()).await;
    assert_eq!(history.status, StatusCode::OK, "{}", history.data);

    let told = readiness(&system, "DEGRADED").await;
    let reason = told["dependencies"]["nats_store"]["reason"].as_str();
    assert!(reason.unwrap().contains("no room left"), "{told}");
    let full = |figures: &str| {
        let line = figures
            .lines()
            .find(|line| line.starts_with("nats_store_full{"));
        line.unwrap().rsplit(' ').next().unwrap().to_owned()
    };
    assert_eq!(full(&system.metrics().await), "1");

    let js = async_nats::jetstream::new(system.nats_client().await);
    js.delete_stream(filler).await.unwrap();
    let after = kim.post(&messages, &json!({ "content": "after" })).await;
    assert_eq!(after.status, StatusCode::CREATED, "{}", after.data);
    readiness(&system, "UP").await;
    assert_eq!(full(&system.metrics().await), "0");
    let registered = kim.call(Method::POST, "/api/users", Some(lee)).await;
    assert_eq!(
        registered.status,
        StatusCode::CREATED,
        "{}",
        registered.data
    );
}

/// What PostgreSQL says on a full disk, and then no more.
const FILL_DATABASE: &str = "
    create function chat.no_room() returns trigger language plpgsql as $$
    begin
        raise exception 'could not extend file: No space left on device' using errcode = '53100';
    end $$;
    create trigger no_room before insert on chat.messages execute function chat.no_room()";
const MAKE_ROOM: &str = "drop function chat.no_room() cascade";

#[tokio::test]
async fn while_the_database_is_full_messages_are_taken_and_their_rows_follow_when_there_is_room() {
    let system = System::without_limits().await;
    let kim = Person::register(&system, "kim").await;
    let room = new_room(&kim).await;
    let messages = messages_of(&room);
    let before = kim.post(&messages, &json!({ "content": "before" })).await;
    kim.get(&messages, &before.position.unwrap()).await;
    system.define(FILL_DATABASE).await;

    let mut last = String::new();
    for number in 0..20 {
        let content = json!({ "content": number.to_string() });
        let sent = kim.post(&messages, &content).await;
        assert_eq!(sent.status, StatusCode::CREATED, "{}", sent.data);
        last = sent.position.unwrap();
    }
    let late = kim.get(&messages, &last).await;
    assert_eq!(late.status, StatusCode::SERVICE_UNAVAILABLE, "never stale");
    let old = kim.call(Method::GET, &messages, None).await;
    assert_eq!(
        old.data["items"].as_array().unwrap().len(),
        1,
        "{}",
        old.data
    );
    let told = readiness(&system, "DEGRADED").await;
    let reason = &told["dependencies"]["read models chat"]["reason"];
    let reason = reason.as_str().unwrap();
    assert!(
        reason.starts_with("messages fails at every try for")
            && reason.matches("No space left on device").count() == 1,
        "{told}"
    );

    system.define(MAKE_ROOM).await;
    readiness(&system, "UP").await;
    let all = kim.get(&messages, &last).await;
    assert_eq!(
        all.data["items"].as_array().unwrap().len(),
        21,
        "{}",
        all.data
    );
    assert_eq!(system.count("chat.projection_parked").await, 0);
}
