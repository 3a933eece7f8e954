//! `…/messages/{messageId}` and its reactions and pin: what becomes of a message, and who decides.

use axum::http::Method;
use doran_contract::RoomId;
use doran_testkit::{Reply, TestPostgres};
use serde_json::{Value, json};

use crate::world::{Person, World, sequence};

const THUMB: &str = "%F0%9F%91%8D";

struct Said {
    world: World,
    owner: Person,
    author: Person,
    other: Person,
    room: RoomId,
    message: Value,
}

/// A message of somebody who is no admin.
async fn said() -> Said {
    let world = World::start().await;
    let (owner, author, other) = (
        world.person("kim").await,
        world.person("lee").await,
        world.person("park").await,
    );
    let room = world.room(&owner, &[&author, &other]).await;
    let message = world.say(&author, room, "안녕").await;
    let message = message.data().clone();
    Said {
        world,
        owner,
        author,
        other,
        room,
        message,
    }
}

impl Said {
    fn path(&self, end: &str) -> String {
        let id = self.message["id"].as_str().unwrap();
        format!("/api/chat/rooms/{}/messages/{id}{end}", self.room)
    }

    async fn call(&self, method: Method, person: &Person, end: &str) -> Reply {
        let path = self.path(end);
        self.world.call(method, person, &path).send().await
    }

    async fn edit(&self, person: &Person, body: &Value) -> Reply {
        let call = self.world.call(Method::PATCH, person, &self.path(""));
        call.json(body).send().await
    }

    async fn react(&self, method: Method, person: &Person) -> Reply {
        let end = format!("/reactions/{THUMB}");
        self.call(method, person, &end).await
    }

    /// The message as history has it after a command.
    async fn after(&self, command: &Reply, person: &Person) -> Value {
        let path = format!("/api/chat/rooms/{}/messages", self.room);
        let page = self.world.read_after(command, person, &path).await;
        assert_eq!(page.data()["head"], json!(sequence(command)));
        page.data()["items"][0].clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_answered_as_history_shows_it_and_found_by_its_words() {
    let said = said().await;
    let body = json!({ "content": "회의록입니다", "mentions": [said.other.id, said.author.id] });
    let edited = said.edit(&said.author, &body).await;
    assert_eq!(edited.status, 200, "{}", edited.body);
    let mut expected = said.message.clone();
    expected["content"] = json!("회의록입니다");
    expected["mentions"] = edited.data()["mentions"].clone();
    expected["editedAt"] = edited.data()["editedAt"].clone();
    assert_eq!(edited.data(), &expected);
    assert!(expected["editedAt"].is_string());
    assert_eq!(said.after(&edited, &said.other).await, expected);

    let again = said.edit(&said.author, &json!({ "content": "다시" })).await;
    expected["content"] = json!("다시");
    expected["editedAt"] = again.data()["editedAt"].clone();
    assert_eq!(said.after(&again, &said.author).await, expected);
    for (word, hits) in [
        ("%ED%9A%8C%EC%9D%98%EB%A1%9D", 0),
        ("%EB%8B%A4%EC%8B%9C", 1),
        ("%EC%95%88%EB%85%95", 0),
    ] {
        let path = format!("/api/chat/search?q={word}");
        let found = said.world.read_after(&again, &said.other, &path).await;
        assert_eq!(
            found.data()["items"].as_array().unwrap().len(),
            hits,
            "{word}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_deleted_message_only_its_place_is_left() {
    let said = said().await;
    let (world, room) = (&said.world, said.room);
    said.react(Method::PUT, &said.other).await;
    said.call(Method::PUT, &said.owner, "/pin").await;
    said.edit(&said.author, &json!({ "content": "비밀" })).await;
    let deleted = said.call(Method::DELETE, &said.author, "").await;
    assert_eq!(deleted.status, 200, "{}", deleted.body);
    let message = said.after(&deleted, &said.other).await;
    assert_eq!(&message, deleted.data());
    for (field, expected) in [
        ("content", Value::Null),
        ("deleted", json!(true)),
        ("pinned", json!(false)),
        ("editedAt", Value::Null),
        ("reactions", json!([])),
        ("id", said.message["id"].clone()),
        ("senderId", json!(said.author.id)),
    ] {
        assert_eq!(message[field], expected, "{field}");
    }
    let found = world.read_after(
        &deleted,
        &said.other,
        "/api/chat/search?q=%EB%B9%84%EB%B0%80",
    );
    assert_eq!(found.await.data()["items"], json!([]));

    let events = world.head("MESSAGE").await;
    let edit = said.edit(&said.author, &json!({ "content": "x" })).await;
    assert_eq!(edit.refusal(), (409, "CONFLICT"));
    let react = said.react(Method::PUT, &said.other).await;
    assert_eq!(react.refusal(), (409, "CONFLICT"));
    let again = said.call(Method::DELETE, &said.owner, "").await;
    assert_eq!((again.status, again.data()), (200, deleted.data()));
    assert_eq!(sequence(&again), sequence(&deleted));
    let name = said.message["clientMessageId"].as_str().unwrap();
    let resent = json!({ "content": "안녕", "clientMessageId": name });
    let resent = world.send(&said.author, room, &resent).send().await;
    assert_eq!(resent.data()["content"], Value::Null);
    let path = format!("/api/chat/rooms/{room}");
    let renamed = world.call(Method::PATCH, &said.owner, &path);
    let renamed = renamed.json(&json!({ "name": "b" })).send().await;
    assert_eq!(renamed.data()["lastMessage"]["content"], Value::Null);
    assert_eq!(world.head("MESSAGE").await, events);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_reaction_twice_is_one_and_each_sees_their_own() {
    let said = said().await;
    let (world, author, other) = (&said.world, &said.author, &said.other);
    let first = said.react(Method::PUT, author).await;
    let mine = json!([{ "emoji": "👍", "count": 1, "me": true }]);
    assert_eq!(first.data()["reactions"], mine);
    let events = world.head("MESSAGE").await;
    let again = said.react(Method::PUT, author).await;
    assert_eq!(sequence(&again), sequence(&first));
    let at_once = (0..8).map(|_| said.react(Method::PUT, other));
    for reply in futures_util::future::join_all(at_once).await {
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
    assert_eq!(world.head("MESSAGE").await, events + 1);

    let last = said.react(Method::PUT, other).await;
    let both = json!([{ "emoji": "👍", "count": 2, "me": true }]);
    assert_eq!(said.after(&last, author).await["reactions"], both);
    let back = said.react(Method::DELETE, author).await;
    let others = json!([{ "emoji": "👍", "count": 1, "me": false }]);
    assert_eq!(back.data()["reactions"], others);
    assert_eq!(said.after(&back, author).await["reactions"], others);
    let nothing = said.react(Method::DELETE, author).await;
    assert_eq!(sequence(&nothing), sequence(&back));
    for (method, left) in [(Method::DELETE, json!([])), (Method::PUT, others)] {
        said.react(method.clone(), other).await;
        let words = json!({ "content": method.as_str() });
        let edited = said.edit(author, &words).await;
        assert_eq!(edited.data()["reactions"], left, "{}", edited.body);
    }
    let text = said.call(Method::PUT, author, "/reactions/hello").await;
    assert_eq!((text.status, text.fields()), (422, vec!["emoji"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_may_do_what_their_role_allows() {
    let said = said().await;
    let (world, room) = (&said.world, said.room);
    let (admin, stranger) = (world.person("choi").await, world.person("jung").await);
    let body = json!({ "userId": admin.id, "role": "admin" });
    let path = format!("/api/chat/rooms/{room}/members");
    assert_eq!(
        world.post(&said.owner, &path, &body).send().await.status,
        201
    );
    let forbidden = (403, "FORBIDDEN");
    let outside = (403, "NOT_MEMBER");
    let fine = (200, "");
    for (person, edit, pin, react, delete) in [
        (&stranger, outside, outside, outside, outside),
        (&said.other, forbidden, forbidden, fine, forbidden),
        (&admin, forbidden, fine, fine, fine),
        (&said.owner, forbidden, fine, fine, fine),
        (
            &said.author,
            (409, "CONFLICT"),
            forbidden,
            (409, "CONFLICT"),
            fine,
        ),
    ] {
        let edited = said.edit(person, &json!({ "content": "x" })).await;
        assert_eq!(outcome(&edited), edit);
        // Once an admin has deleted it there is no pin to set: asked before.
        let pinned = said.call(Method::DELETE, person, "/pin").await;
        assert_eq!(outcome(&pinned), pin);
        if person.id == said.other.id || person.id == stranger.id {
            assert_eq!(outcome(&said.react(Method::PUT, person).await), react);
        }
        assert_eq!(
            outcome(&said.call(Method::DELETE, person, "").await),
            delete
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retried_edit_is_one_and_another_room_or_id_is_not_found() {
    let said = said().await;
    let world = &said.world;
    let edit = async |content: &str| {
        let call = world.call(Method::PATCH, &said.author, &said.path(""));
        let call = call.header("idempotency-key", "one");
        call.json(&json!({ "content": content })).send().await
    };
    let first = edit("a").await;
    let again = edit("a").await;
    assert_eq!((again.status, again.data()), (200, first.data()));
    assert_eq!(sequence(&again), sequence(&first));
    assert_eq!(edit("b").await.refusal(), (409, "IDEMPOTENCY_MISMATCH"));

    let elsewhere = world.room(&said.author, &[]).await;
    world.say(&said.author, elsewhere, "x").await;
    let id = said.message["id"].as_str().unwrap();
    let unknown = "00000000-0000-0000-0000-000000000001";
    for (room, id, expected) in [
        (elsewhere.to_string(), id, (404, "NOT_FOUND")),
        (said.room.to_string(), unknown, (404, "NOT_FOUND")),
        (said.room.to_string(), "nonsense", (400, "BAD_REQUEST")),
    ] {
        let path = format!("/api/chat/rooms/{room}/messages/{id}");
        let gone = world.call(Method::DELETE, &said.author, &path).send();
        assert_eq!(gone.await.refusal(), expected, "{path}");
    }
    for body in [
        json!({}),
        json!({ "content": " " }),
        json!({ "content": "가".repeat(10_001) }),
    ] {
        assert_eq!(said.edit(&said.author, &body).await.fields(), ["content"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unread_follows_deletions_and_edits() {
    let said = said().await;
    let (world, author, other, room) = (&said.world, &said.author, &said.other, said.room);
    let counts = async |after: &Reply| {
        let path = format!("/api/chat/rooms/{room}");
        let room = world.read_after(after, other, &path).await;
        let count = |field: &str| room.data()[field].as_u64().unwrap();
        (count("unreadCount"), count("mentionCount"))
    };
    let more = world.say(author, room, "둘").await;
    assert_eq!(counts(&more).await, (2, 0));
    let named = json!({ "content": "셋", "mentions": [other.id] });
    let edited = said.edit(author, &named).await;
    assert_eq!(counts(&edited).await, (2, 1));
    let silent = said.edit(author, &json!({ "content": "넷" })).await;
    assert_eq!(counts(&silent).await, (2, 1));
    let unnamed = json!({ "content": "넷", "mentions": [] });
    let edited = said.edit(author, &unnamed).await;
    assert_eq!(counts(&edited).await, (2, 0));
    let named = said.edit(author, &named).await;
    assert_eq!(counts(&named).await, (2, 1));
    let deleted = said.call(Method::DELETE, author, "").await;
    assert_eq!(counts(&deleted).await, (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_changed_while_postgres_is_away() {
    let postgres = TestPostgres::start().await;
    let world = World::start_on(&postgres).await;
    let kim = world.person("kim").await;
    let room = world.room(&kim, &[]).await;
    let message = world.say(&kim, room, "before").await;
    let id = message.data()["id"].as_str().unwrap();
    let path = format!("/api/chat/rooms/{room}/messages/{id}");
    postgres.kill().await;

    let call = world.call(Method::PATCH, &kim, &path);
    let edited = call.json(&json!({ "content": "meanwhile" })).send().await;
    assert_eq!(
        edited.data()["content"],
        json!("meanwhile"),
        "{}",
        edited.body
    );
    let thumb = format!("{path}/reactions/{THUMB}");
    let reacted = world.call(Method::PUT, &kim, &thumb).send().await;
    assert_eq!(reacted.data()["content"], json!("meanwhile"));
    assert_eq!(reacted.data()["reactions"][0]["count"], json!(1));
    let pinned = world
        .call(Method::PUT, &kim, &format!("{path}/pin"))
        .send()
        .await;
    assert_eq!(pinned.data()["pinned"], json!(true));
    let deleted = world.call(Method::DELETE, &kim, &path).send().await;
    assert_eq!(deleted.data()["deleted"], json!(true));
    assert_eq!(world.head("MESSAGE").await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_written_lies_open() {
    let said = said().await;
    said.edit(&said.author, &json!({ "content": "아주 비밀" }))
        .await;
    for message in said.world.raw("MESSAGE").await {
        assert!(!message.contains("비밀"), "{message}");
    }
}

fn outcome(reply: &Reply) -> (u16, &str) {
    if reply.status == 200 {
        (200, "")
    } else {
        reply.refusal()
    }
}
