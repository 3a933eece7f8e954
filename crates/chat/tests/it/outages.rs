//! People talk while PostgreSQL is away; nothing waits without end for NATS.

use std::time::{Duration, Instant};

use doran_testkit::TestPostgres;
use serde_json::json;

use crate::world::{World, until};

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_sent_while_postgres_is_away_and_read_when_it_is_back() {
    let postgres = TestPostgres::start().await;
    let mut world = World::start_on(&postgres).await;
    let (kim, lee) = (world.person("kim").await, world.person("lee").await);
    let room = world.room(&kim, &[]).await;
    let path = format!("/api/chat/rooms/{room}/messages");
    let before = world.say(&kim, room, "before").await;
    world.read_after(&before, &kim, &path).await;
    postgres.kill().await;

    let asked = Instant::now();
    let body = json!({ "userId": lee.id });
    let added = world.post(&kim, &format!("/api/chat/rooms/{room}/members"), &body);
    assert_eq!(added.send().await.status, 201);
    for n in 0..20 {
        world.say(&lee, room, &format!("{n}")).await;
    }
    assert!(
        asked.elapsed() < Duration::from_secs(5),
        "{:?}",
        asked.elapsed()
    );
    for path in [path.as_str(), "/api/chat/rooms"] {
        let refused = world.get(&kim, path).send().await;
        assert_eq!(refused.refusal(), (503, "UNAVAILABLE"), "{path}");
        assert!(!refused.header("retry-after").is_empty());
    }

    // A service that starts meanwhile works as well.
    world.restart().await;
    let last = world.say(&lee, room, "after").await;
    postgres.resume().await;
    until(async || {
        let call = world.get(&kim, &path);
        let position = last.header("doran-position");
        let history = call.header("doran-min-position", position).send().await;
        history.status == 200 && history.data()["items"].as_array().unwrap().len() == 22
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_nats_is_away_commands_are_refused_in_bounded_time_and_work_again_after() {
    let world = World::start().await;
    let kim = world.person("kim").await;
    let room = world.room(&kim, &[]).await;
    let said = world.say(&kim, room, "before").await;
    let path = format!("/api/chat/rooms/{room}/messages");
    world.read_after(&said, &kim, &path).await;
    world.nats.kill().await;
    // PostgreSQL answers, for as long as no suspension can have been missed.
    assert_eq!(world.get(&kim, &path).send().await.status, 200);
    let asked = Instant::now();
    let body = json!({ "content": "meanwhile", "clientMessageId": "m-1" });
    let refused = world.send(&kim, room, &body).send().await;
    assert!(matches!(refused.status, 503 | 504), "{}", refused.body);
    let refused = world.post(&kim, "/api/chat/rooms", &json!({ "name": "a" }));
    let refused = refused.send().await;
    assert!(matches!(refused.status, 503 | 504), "{}", refused.body);
    assert!(
        asked.elapsed() < Duration::from_secs(12),
        "{:?}",
        asked.elapsed()
    );

    world.nats.resume().await;
    until(async || matches!(world.send(&kim, room, &body).send().await.status, 200 | 201)).await;
    let stored = world.raw("MESSAGE").await;
    assert!(stored.len() <= 2, "{stored:?}");
}
