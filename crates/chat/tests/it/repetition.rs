//! Commands that come again under the same `Idempotency-Key`.

use axum::http::Method;
use doran_testkit::{Call, Reply};
use futures_util::StreamExt;
use serde_json::json;

use crate::world::{Person, World};

const HEADERS: [&str; 4] = ["content-type", "doran-position", "etag", "location"];

async fn keyed(call: Call, key: &str) -> Reply {
    call.header("idempotency-key", key).send().await
}

fn assert_same(again: &Reply, first: &Reply) {
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    for name in HEADERS {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
}

#[tokio::test]
async fn whatever_happened_since_the_answer_is_the_first_one() {
    let mut world = World::start().await;
    let kim = world.person("kim").await;
    let room = world.room(&kim, &[]).await;
    let path = format!("/api/chat/rooms/{room}");
    let seq = world.say(&kim, room, "하나").await.data()["seq"].clone();
    let calls = |world: &World| {
        [
            world.send(&kim, room, &json!({ "content": "둘" })),
            world
                .call(Method::PATCH, &kim, &path)
                .json(&json!({ "name": "처음" })),
            world.post(&kim, &format!("{path}/invites"), &json!({})),
            world
                .call(Method::PUT, &kim, &format!("{path}/read"))
                .json(&json!({ "seq": seq })),
            world.call(Method::POST, &kim, &format!("{path}/archive")),
        ]
    };
    let mut answers = Vec::new();
    for call in calls(&world) {
        let first = keyed(call, "one").await;
        assert!(first.status < 300, "{}", first.body);
        assert_ne!(first.header("etag"), "");
        answers.push(first);
    }
    let back = world.call(Method::POST, &kim, &format!("{path}/unarchive"));
    assert_eq!(back.send().await.status, 200);
    let other = world.call(Method::PATCH, &kim, &path);
    let other = other.json(&json!({ "name": "나중" })).send().await;
    assert_eq!(other.status, 200, "{}", other.body);
    let heads = (world.head("CHATROOM").await, world.head("MESSAGE").await);
    for (call, first) in calls(&world).into_iter().zip(&answers) {
        assert_same(&keyed(call, "one").await, first);
    }
    world.restart().await;
    for (call, first) in calls(&world).into_iter().zip(&answers) {
        assert_same(&keyed(call, "one").await, first);
    }
    let after = (world.head("CHATROOM").await, world.head("MESSAGE").await);
    assert_eq!(after, heads, "something happened twice");
}

#[tokio::test]
async fn a_command_that_changed_nothing_is_known_again() {
    let world = World::start().await;
    let kim = world.person("kim").await;
    let room = world.room(&kim, &[]).await;
    let path = format!("/api/chat/rooms/{room}");
    let rename = async |name: &str| {
        let body = json!({ "name": name });
        let call = world.call(Method::PATCH, &kim, &path);
        keyed(call.json(&body), "name").await
    };
    assert_eq!(rename("회의").await.status, 200);
    assert_eq!(
        rename("다른 것").await.refusal(),
        (409, "IDEMPOTENCY_MISMATCH")
    );
    let unarchive = || world.call(Method::POST, &kim, &format!("{path}/unarchive"));
    let first = keyed(unarchive(), "back").await;
    assert_eq!(first.data()["status"], "active", "{}", first.body);
    let archive = world.call(Method::POST, &kim, &format!("{path}/archive"));
    let archived = archive.send().await;
    assert_same(&keyed(unarchive(), "back").await, &first);
    let now = world.read_after(&archived, &kim, &path).await;
    assert_eq!(now.data()["status"], "archived", "{}", now.body);
}

#[tokio::test]
async fn a_key_is_for_one_person_and_one_route() {
    let world = World::start().await;
    let [kim, lee] = [world.person("kim").await, world.person("lee").await];
    let room = world.room(&kim, &[&lee]).await;
    let say = async |person: &Person, content: &str| {
        let call = world.send(person, room, &json!({ "content": content }));
        keyed(call, "one").await
    };
    let first = say(&kim, "하나").await;
    let other = say(&lee, "둘").await;
    assert_eq!((first.status, other.status), (201, 201));
    assert_ne!(first.data()["id"], other.data()["id"]);
    let path = format!("/api/chat/rooms/{room}/archive");
    let archived = keyed(world.call(Method::POST, &kim, &path), "one").await;
    assert_eq!(archived.data()["status"], "archived", "{}", archived.body);
}

#[tokio::test]
async fn what_was_refused_is_tried_again() {
    let world = World::start().await;
    let kim = world.person("kim").await;
    let room = world.room(&kim, &[]).await;
    let say = || world.send(&kim, room, &json!({ "content": "하나" }));
    let path = format!("/api/chat/rooms/{room}");
    let archive = world.call(Method::POST, &kim, &format!("{path}/archive"));
    assert_eq!(archive.send().await.status, 200);
    assert_eq!(keyed(say(), "one").await.refusal(), (409, "ROOM_INACTIVE"));
    let back = world.call(Method::POST, &kim, &format!("{path}/unarchive"));
    assert_eq!(back.send().await.status, 200);
    assert_eq!(keyed(say(), "one").await.status, 201);
}

#[tokio::test]
async fn answers_lie_sealed_and_without_them_the_log_still_knows_the_command() {
    let world = World::start().await;
    let kim = world.person("kim").await;
    let room = world.room(&kim, &[]).await;
    let say = async || keyed(world.send(&kim, room, &json!({ "content": "비밀" })), "one").await;
    let first = say().await;
    let bucket = world.platform.js.get_key_value("ANSWER").await.unwrap();
    let keys: Vec<_> = bucket.keys().await.unwrap().collect().await;
    let [Ok(key)] = &keys[..] else {
        panic!("{keys:?}");
    };
    let kept = bucket.get(key).await.unwrap().unwrap();
    for plain in ["비밀", "clientMessageId", "doran-position"] {
        let has = kept
            .windows(plain.len())
            .any(|part| part == plain.as_bytes());
        assert!(!has, "{plain}");
    }
    world.platform.first_answers.forget_all().await.unwrap();
    assert_eq!(bucket.get(key).await.unwrap(), None);
    let head = world.head("MESSAGE").await;
    let again = say().await;
    assert_eq!(
        (again.status, again.data()["id"].clone()),
        (first.status, first.data()["id"].clone())
    );
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(world.head("MESSAGE").await, head);
}
