//! `POST /api/chat/rooms/{id}/messages`: said once, sealed, and refused with a name.

use serde_json::json;
use sqlx::Row;

use crate::world::{World, sequence, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_answered_as_history_shows_it() {
    let world = World::start().await;
    let (kim, lee, park) = (
        world.person("kim").await,
        world.person("lee").await,
        world.person("park").await,
    );
    let room = world.room(&kim, &[&lee]).await;
    let first = world.say(&lee, room, "안녕").await;
    let body = json!({
        "content": "fn main() {}", "contentType": "code", "clientMessageId": "m-1",
        "replyTo": first.data()["id"], "mentions": [lee.id, park.id, lee.id],
    });
    let said = world.send(&kim, room, &body).send().await;
    assert_eq!(said.status, 201);
    let message = said.data();
    let seq = sequence(&said);
    let expected = json!({
        "id": message["id"], "roomId": room, "seq": seq, "senderId": kim.id, "senderType": "user",
        "content": "fn main() {}", "contentType": "code", "clientMessageId": "m-1",
        "replyTo": first.data()["id"], "attachments": [], "mentions": [lee.id], "reactions": [],
        "pinned": false, "editedAt": null, "deleted": false, "createdAt": message["createdAt"],
    });
    assert_eq!(message, &expected);
    let path = format!("/api/chat/rooms/{room}/messages");
    let id = message["id"].as_str().unwrap();
    assert_eq!(said.header("location"), format!("{path}/{id}"));
    let history = world.read_after(&said, &lee, &path).await;
    assert_eq!(history.data()["items"], json!([first.data(), expected]));
    assert_eq!(history.data()["head"], json!(seq));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_said_is_refused_and_nothing_is_written() {
    let world = World::start().await;
    let (kim, lee) = (world.person("kim").await, world.person("lee").await);
    let room = world.room(&kim, &[]).await;
    let other = world.room(&kim, &[]).await;
    let elsewhere = world.say(&kim, other, "x").await;
    let long = "가".repeat(10_001);
    let many: Vec<_> = (0..101).map(|_| kim.id).collect();
    for (body, status, fields) in [
        (json!({}), 422, vec!["content"]),
        (json!({ "content": " \n" }), 422, vec!["content"]),
        (json!({ "content": long }), 422, vec!["content"]),
        (
            json!({ "content": "a", "contentType": "system" }),
            422,
            vec!["contentType"],
        ),
        (
            json!({ "content": "a", "clientMessageId": "has space" }),
            422,
            vec!["clientMessageId"],
        ),
        (
            json!({ "content": "a", "replyTo": elsewhere.data()["id"] }),
            422,
            vec!["replyTo"],
        ),
        (
            json!({ "content": "a", "mentions": many }),
            422,
            vec!["mentions"],
        ),
    ] {
        let reply = world.send(&kim, room, &body).send().await;
        assert_eq!(
            (reply.status, reply.fields()),
            (status, fields),
            "{}",
            reply.body
        );
    }
    let body = json!({ "content": "a" });
    let outside = world.send(&lee, room, &body).send().await;
    assert_eq!(outside.refusal(), (403, "NOT_MEMBER"));
    let unknown = "00000000-0000-0000-0000-000000000001".parse().unwrap();
    let nowhere = world.send(&kim, unknown, &body).send().await;
    assert_eq!(nowhere.refusal(), (404, "NOT_FOUND"));
    world.rest(&kim).await;
    let resting = world.send(&kim, room, &body).send().await;
    assert_eq!(resting.refusal(), (403, "FORBIDDEN"));
    assert_eq!(world.head("MESSAGE").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_ten_thousand_characters_is_taken() {
    let world = World::start().await;
    let kim = world.person("kim").await;
    let room = world.room(&kim, &[]).await;
    let content = "가".repeat(10_000);
    let said = world.say(&kim, room, &content).await;
    assert_eq!(said.data()["content"], json!(content));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_sent_again_is_the_first_one_also_after_a_restart() {
    let mut world = World::start().await;
    let kim = world.person("kim").await;
    let room = world.room(&kim, &[]).await;
    let body = json!({ "content": "한 번", "clientMessageId": "m-1" });
    let first = world.send(&kim, room, &body).send().await;
    let other = json!({ "content": "다른 말", "clientMessageId": "m-1" });
    let again = world.send(&kim, room, &other).send().await;
    assert_eq!((again.status, again.data()), (200, first.data()));
    assert_eq!(sequence(&again), sequence(&first));

    world.restart().await;
    let after = world.send(&kim, room, &body).send().await;
    assert_eq!((after.status, after.data()), (200, first.data()));
    let sends = (0..16).map(|_| world.send(&kim, room, &body).send());
    for reply in futures_util::future::join_all(sends).await {
        assert_eq!(reply.data(), first.data());
    }
    assert_eq!(world.head("MESSAGE").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_message_sent_many_times_at_once_is_stored_once() {
    let world = World::start().await;
    let kim = world.person("kim").await;
    let room = world.room(&kim, &[]).await;
    let body = json!({ "content": "한 번", "clientMessageId": "m-1" });
    let sends = (0..16).map(|_| world.send(&kim, room, &body).send());
    let replies = futures_util::future::join_all(sends).await;
    let new = replies.iter().filter(|reply| reply.status == 201).count();
    assert_eq!(new, 1);
    for reply in &replies {
        assert_eq!(reply.data(), replies[0].data());
    }
    assert_eq!(world.head("MESSAGE").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_names_a_message_and_takes_no_other() {
    let world = World::start().await;
    let kim = world.person("kim").await;
    let room = world.room(&kim, &[]).await;
    let send = async |content: &str| {
        let call = world.send(&kim, room, &json!({ "content": content }));
        call.header("idempotency-key", "key-1").send().await
    };
    let first = send("하나").await;
    assert_eq!(first.status, 201);
    let again = send("하나").await;
    assert_eq!((again.status, again.data()), (201, first.data()));
    assert_eq!(send("둘").await.refusal(), (409, "IDEMPOTENCY_MISMATCH"));
    assert_eq!(world.head("MESSAGE").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_the_log_nor_postgres_holds_what_was_said() {
    let world = World::start().await;
    let kim = world.person("planted-person").await;
    let room = world.room(&kim, &[]).await;
    let said = world.say(&kim, room, "planted-text").await;
    let path = format!("/api/chat/rooms/{room}/messages");
    let history = world.read_after(&said, &kim, &path).await;
    assert_eq!(history.data()["items"][0]["content"], json!("planted-text"));
    for stream in ["MESSAGE", "CHATROOM"] {
        let raw = world.raw(stream).await;
        assert_eq!(raw.len(), 1);
        assert!(!raw[0].contains("planted"), "{}", raw[0]);
    }
    let pool = world.pool();
    until(async || rows(&pool, "people").await.len() == 1).await;
    for table in ["messages", "people"] {
        for row in rows(&pool, table).await {
            assert!(!row.contains("planted"), "{table}: {row}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_said_is_gone_with_their_key() {
    let mut world = World::start().await;
    let (kim, lee) = (world.person("kim").await, world.person("lee").await);
    let room = world.room(&kim, &[&lee]).await;
    world.say(&lee, room, "안녕").await;
    let said = world.say(&kim, room, "잘 가").await;
    world.platform.keyring.destroy(lee.id).await.unwrap();
    world.restart().await;
    let path = format!("/api/chat/rooms/{room}/messages");
    let history = world.read_after(&said, &kim, &path).await;
    let items = &history.data()["items"];
    assert_eq!(
        (&items[0]["content"], &items[0]["deleted"]),
        (&json!(null), &json!(true))
    );
    assert_eq!(
        (&items[1]["content"], &items[1]["deleted"]),
        (&json!("잘 가"), &json!(false))
    );
    let path = format!("/api/chat/rooms/{room}/members");
    // The position above is one of messages; rooms are read by another read model.
    until(async || {
        let members = world.get(&kim, &path).send().await;
        members.data()["items"][1]["name"] == json!("deleted user")
    })
    .await;
}

async fn rows(pool: &sqlx::PgPool, table: &str) -> Vec<String> {
    let sql = format!("select to_jsonb(t)::text as row from chat.{table} t");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(pool).await;
    let rows = rows.unwrap();
    rows.iter().map(|row| row.get::<String, _>("row")).collect()
}
