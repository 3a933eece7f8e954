//! What becomes of the search index when somebody is erased: what a rebuild would make of it.

use std::time::Duration;

use axum::http::Method;
use doran_contract::{
    RoomId,
    bot::ECHO,
    upkeep::{AuditReadModels, Audited, audit_read_models},
};
use doran_platform::remote::ask;
use doran_projection::policy::report;
use serde_json::json;

use crate::world::{Person, World, until};

const PATIENCE: Duration = Duration::from_secs(30);

/// Messages that the index still leads to, of those that this person's key had sealed.
async fn indexed(world: &World, person: &Person) -> i64 {
    sqlx::query_scalar(
        "select count(*)
         from message_tokens t
         join messages m on m.id = t.message_id
         where m.content ->> 'key' = $1
             and t.tokens <> '{}'",
    )
    .bind(person.id.to_string())
    .fetch_one(&world.pool())
    .await
    .unwrap()
}

/// Tables that are not what the log makes of them.
async fn differing(world: &World) -> Vec<String> {
    let subject = audit_read_models("chat");
    let audited = ask(&world.platform, &subject, &AuditReadModels {}, PATIENCE).await;
    let Audited { differing, .. } = audited.unwrap();
    differing
}

/// Rooms that were told that this person is erased, once for each time.
async fn told(world: &World, person: &Person) -> usize {
    let events = world.raw("MESSAGE").await;
    let is_told = |event: &&String| {
        event.contains(".AuthorErased ") && event.contains(&person.id.to_string())
    };
    events.iter().filter(is_told).count()
}

async fn found(world: &World, person: &Person, q: &str) -> Vec<String> {
    let position = format!("MESSAGE:{}", world.head("MESSAGE").await);
    let search = world.get(person, &format!("/api/chat/search?q={q}"));
    let page = search.header("doran-min-position", &position).send().await;
    let items = page.data()["items"].as_array().unwrap().clone();
    let content = |item: &serde_json::Value| item["message"]["content"].as_str().unwrap().into();
    items.iter().map(content).collect()
}

async fn ban(world: &World, owner: &Person, room: RoomId, person: &Person) {
    let member = format!("/api/chat/rooms/{room}/members/{}?ban=true", person.id);
    let banned = world.call(Method::DELETE, owner, &member).send().await;
    assert_eq!(banned.status, 200, "{}", banned.body);
}

async fn ready(world: &World) {
    let js = &world.platform.js;
    for policy in [doran_chat::NOTE_ERASED, doran_chat::CALL_BOTS] {
        until(async || report(js, &policy).await.is_ok()).await;
    }
}

/// Four messages of the erased: in a room, edited there, in one that bans them, and to a bot, whose
/// answer is sealed with their key.
async fn said(world: &World, kim: &Person, lee: &Person) -> RoomId {
    let shared = world.room(lee, &[kim]).await;
    world.say(kim, shared, "agenda of kim").await;
    world.say(lee, shared, "agenda of lee").await;
    let edited = world.say(kim, shared, "a mistake").await;
    let edited = format!(
        "/api/chat/rooms/{shared}/messages/{}",
        edited.data()["id"].as_str().unwrap()
    );
    let edit = world.call(Method::PATCH, kim, &edited);
    let edit = edit.json(&json!({ "content": "agenda of kim again" }));
    assert_eq!(edit.send().await.status, 200);
    let banned_from = world.room(lee, &[kim]).await;
    world.say(kim, banned_from, "agenda of the banned").await;
    ban(world, lee, banned_from, kim).await;
    let body = json!({ "kind": "bot", "botId": ECHO, "memberIds": [lee.id] });
    let with_bot = world.post(kim, "/api/chat/rooms", &body).send().await;
    let with_bot: RoomId = with_bot.data()["id"].as_str().unwrap().parse().unwrap();
    world.say(kim, with_bot, "agenda of the bot").await;
    until(async || indexed(world, kim).await == 5).await;
    shared
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_an_erased_person_wrote_is_in_the_index_wherever_they_wrote_it() {
    let world = World::start().await;
    ready(&world).await;
    let (kim, lee) = (world.person("kim").await, world.person("lee").await);
    said(&world, &kim, &lee).await;
    assert_eq!(found(&world, &lee, "agenda").await.len(), 6);
    assert_eq!(differing(&world).await, [""; 0]);

    world.erase(&kim).await;
    until(async || told(&world, &kim).await == 3).await;
    assert_eq!(found(&world, &lee, "agenda").await, ["agenda of lee"]);
    assert_eq!(indexed(&world, &kim).await, 0);
    assert_eq!(indexed(&world, &lee).await, 1);
    assert_eq!(differing(&world).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_are_told_once_and_also_of_whom_was_erased_while_the_service_was_away() {
    let mut world = World::start().await;
    ready(&world).await;
    let (kim, lee) = (world.person("kim").await, world.person("lee").await);
    let shared = said(&world, &kim, &lee).await;
    world.platform.lifecycle.stop().await;
    world.erase(&kim).await;
    world.restart().await;
    until(async || told(&world, &kim).await == 3).await;

    world.erase(&kim).await;
    let last = world.head("USER").await;
    until(async || {
        let report = report(&world.platform.js, &doran_chat::NOTE_ERASED).await;
        report.unwrap().handled_up_to >= last
    })
    .await;
    assert_eq!(told(&world, &kim).await, 3);

    // The room goes on, and what is said there now is found.
    world.say(&lee, shared, "the next agenda").await;
    let next = ["the next agenda", "agenda of lee"];
    assert_eq!(found(&world, &lee, "agenda").await, next);
    assert_eq!(differing(&world).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_on_its_way_when_the_key_went_is_not_indexed() {
    let world = World::start().await;
    ready(&world).await;
    let (kim, lee) = (world.person("kim").await, world.person("lee").await);
    let room = world.room(&lee, &[&kim]).await;
    let other = world.room(&lee, &[&kim]).await;
    let key = world.platform.keyring.key(kim.id).await.unwrap().unwrap();
    world.arrive(&key, &kim, room, "agenda in time", &[]).await;
    assert_eq!(found(&world, &lee, "agenda").await, ["agenda in time"]);

    world.erase(&kim).await;
    until(async || told(&world, &kim).await == 1).await;
    world.arrive(&key, &kim, room, "agenda too late", &[]).await;
    world
        .arrive(&key, &kim, other, "agenda elsewhere", &[])
        .await;
    assert_eq!(found(&world, &lee, "agenda").await, [""; 0]);
    assert_eq!(indexed(&world, &kim).await, 0);
    assert_eq!(differing(&world).await, [""; 0]);
}
