//! Asking who is there.

use std::time::Duration;

use doran_contract::{UserId, room::PresenceState};
use doran_platform::{
    presence::{Presences, Terms},
    redis::Redis,
};
use doran_testkit::{Reply, TestRedis};
use serde_json::{Value, json};
use tokio::time::timeout;
use uuid::Uuid;

use crate::world::{Person, World, until};

async fn note(world: &World, redis: &TestRedis, people: &[(UserId, PresenceState)]) {
    let terms = Terms {
        life: Duration::from_mins(1),
        grace: Duration::ZERO,
    };
    let patience = Duration::from_secs(5);
    let redis = Redis::start(redis.url(), patience, &world.platform.lifecycle);
    let presences = Presences::new(redis.await.unwrap());
    let people: Vec<_> = people
        .iter()
        .map(|(id, state)| (*id, Some(*state)))
        .collect();
    let gateway = world.platform.clock.new_id();
    presences.note(gateway, terms, &people).await.unwrap();
}

async fn ask(world: &World, person: &Person, people: &[&Person]) -> Reply {
    let ids: Vec<_> = people.iter().map(|person| person.id.to_string()).collect();
    let path = format!("/api/chat/presence?userIds={}", ids.join(","));
    world.get(person, &path).send().await
}

/// Asks until the tables have the room and Redis answers in time, which on a busy machine they may
/// not at first.
async fn ask_redis(world: &World, person: &Person, path: &str, field: &str) -> Reply {
    let asking = async {
        loop {
            let reply = world.get(person, path).send().await;
            let items = reply.data()["items"].as_array().unwrap();
            if !items.is_empty() && items.iter().all(|item| item[field] != "unknown") {
                return reply;
            }
        }
    };
    timeout(Duration::from_secs(10), asking).await.unwrap()
}

fn states(reply: &Reply) -> Vec<(Value, Value)> {
    let items = reply.data()["items"].as_array().unwrap().iter();
    items
        .map(|item| (item["userId"].clone(), item["state"].clone()))
        .collect()
}

#[tokio::test]
async fn presence_is_for_those_who_share_a_room() {
    let redis = TestRedis::database().await;
    let world = World::start_with(&redis).await;
    let (kim, lee, park) = (
        world.person("kim").await,
        world.person("lee").await,
        world.person("park").await,
    );
    let room = world.room(&kim, &[&lee]).await;
    let online = PresenceState::Online;
    let noted = [
        (kim.id, online),
        (lee.id, PresenceState::Away),
        (park.id, online),
    ];
    note(&world, &redis, &noted).await;

    let path = format!(
        "/api/chat/presence?userIds={},{},{},{}",
        park.id, lee.id, kim.id, lee.id
    );
    let reply = ask_redis(&world, &kim, &path, "state").await;
    let seen = [
        (json!(lee.id), json!("away")),
        (json!(kim.id), json!("online")),
    ];
    assert_eq!(states(&reply), seen);
    assert!(reply.data()["items"][0]["lastSeenAt"].is_string());
    assert_eq!(states(&ask(&world, &park, &[&kim]).await), []);

    let path = format!("/api/chat/rooms/{room}/members");
    let members = ask_redis(&world, &kim, &path, "presence").await;
    let shown = |index: usize| members.data()["items"][index]["presence"].clone();
    assert_eq!((shown(0), shown(1)), (json!("online"), json!("away")));
}

#[tokio::test]
async fn who_is_suspended_is_offline_whatever_their_sockets_say() {
    let redis = TestRedis::database().await;
    let world = World::start_with(&redis).await;
    let (kim, lee) = (world.person("kim").await, world.person("lee").await);
    world.room(&kim, &[&lee]).await;
    note(&world, &redis, &[(lee.id, PresenceState::Online)]).await;
    world
        .change_status(&lee, doran_contract::user::UserStatus::Suspended)
        .await;
    until(async || {
        let reply = ask(&world, &kim, &[&lee]).await;
        states(&reply) == [(json!(lee.id), json!("offline"))]
    })
    .await;
}

#[tokio::test]
async fn without_redis_presence_is_unknown_and_a_bad_list_is_refused() {
    let world = World::start().await;
    let (kim, lee) = (world.person("kim").await, world.person("lee").await);
    world.room(&kim, &[&lee]).await;
    let reply = ask(&world, &kim, &[&lee]).await;
    assert_eq!(states(&reply), [(json!(lee.id), json!("unknown"))]);
    let many: Vec<_> = (0..101).map(|n| Uuid::from_u128(n).to_string()).collect();
    for list in ["", "x", &many.join(",")] {
        let path = format!("/api/chat/presence?userIds={list}");
        let reply = world.get(&kim, &path).send().await;
        assert_eq!(reply.status, 422, "{list}");
    }
}
