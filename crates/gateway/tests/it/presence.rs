//! Who is there: told to those who share a room, over several sockets and gateways, after a crash,
//! and without Redis.

use std::time::Duration;

use doran_contract::{UserId, room::PresenceState};
use doran_gateway::Timing;
use doran_platform::{
    presence::{Presences, Terms},
    redis::Redis,
};
use doran_testkit::TestRedis;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    client::Client,
    world::{Person, Setup, World},
};

const TERMS: Terms = Terms {
    life: Duration::from_secs(30),
    grace: Duration::from_secs(1),
};
/// What a gateway says that is killed a moment later.
const SHORT: Terms = Terms {
    life: Duration::from_millis(300),
    grace: Duration::from_secs(1),
};

async fn world(redis: &TestRedis) -> World {
    World::with(Setup {
        redis_url: Some(redis.url().to_owned()),
        timing: Timing {
            redis: Duration::from_secs(5),
            sweep: Duration::from_millis(50),
            presence: TERMS,
            ..Timing::default()
        },
        ..Setup::default()
    })
    .await
}

/// What another gateway keeps of its people.
struct OtherGateway {
    id: Uuid,
    presences: Presences,
}

impl OtherGateway {
    async fn of(world: &World, redis: &TestRedis) -> Self {
        let patience = Duration::from_secs(5);
        let redis = Redis::start(redis.url(), patience, &world.platform.lifecycle).await;
        Self {
            id: world.platform.clock.new_id(),
            presences: Presences::new(redis.unwrap()),
        }
    }

    async fn note(&self, user: UserId, state: Option<PresenceState>, terms: Terms) -> usize {
        let noted = self.presences.note(self.id, terms, &[(user, state)]).await;
        noted.unwrap().len()
    }
}

async fn presence(client: &mut Client, person: &Person) -> Value {
    let frame = client.next_of("presence").await;
    assert_eq!(frame["userId"], json!(person.id));
    frame["state"].clone()
}

#[tokio::test]
async fn who_shares_a_subscribed_room_is_told_and_others_are_not() {
    let redis = TestRedis::database().await;
    let world = world(&redis).await;
    let (a, b) = (world.person("a").await, world.person("b").await);
    let stranger = world.person("c").await;
    let room = world.room(&[&a, &b]).await;
    let own = world.room(&[&stranger]).await;
    let mut watching = world.subscribe(&a, room).await;
    let mut elsewhere = world.subscribe(&stranger, own).await;

    let mut other = world.log_in(&b).await;
    assert_eq!(presence(&mut watching, &b).await, "online");
    let ok = other
        .ask(json!({ "type": "presence", "state": "away" }))
        .await;
    assert_eq!(ok["state"], "away", "{ok}");
    assert_eq!(presence(&mut watching, &b).await, "away");
    drop(other);
    let frame = watching.next_of("presence").await;
    assert_eq!(frame["state"], "offline");
    assert!(frame["lastSeenAt"].is_string(), "{frame}");
    elsewhere.nothing_came().await;
}

#[tokio::test]
async fn somebody_is_away_only_if_all_their_sockets_are_and_who_is_soon_back_never_left() {
    let redis = TestRedis::database().await;
    let world = world(&redis).await;
    let (a, b) = (world.person("a").await, world.person("b").await);
    let room = world.room(&[&a, &b]).await;
    let mut watching = world.subscribe(&a, room).await;
    let mut desk = world.log_in(&b).await;
    assert_eq!(presence(&mut watching, &b).await, "online");
    let mut phone = world.log_in(&b).await;
    let away = json!({ "type": "presence", "state": "away" });
    phone.ask(away.clone()).await;
    watching.nothing_came().await;
    desk.ask(away.clone()).await;
    assert_eq!(presence(&mut watching, &b).await, "away");
    drop((desk, phone));
    let mut back = world.log_in(&b).await;
    assert_eq!(presence(&mut watching, &b).await, "online");
    back.ask(away).await;
    assert_eq!(presence(&mut watching, &b).await, "away");
}

#[tokio::test]
async fn a_gateway_that_was_killed_leaves_nobody_behind() {
    let redis = TestRedis::database().await;
    let world = world(&redis).await;
    let (a, b) = (world.person("a").await, world.person("b").await);
    let room = world.room(&[&a, &b]).await;
    let killed = OtherGateway::of(&world, &redis).await;
    assert_eq!(
        killed.note(b.id, Some(PresenceState::Online), SHORT).await,
        1
    );
    let mut watching = world.subscribe(&a, room).await;
    assert_eq!(presence(&mut watching, &b).await, "offline");
    let known = killed.presences.look(&[b.id]).await;
    assert_eq!(known[0].state, PresenceState::Offline);
    assert!(known[0].last_seen_at.is_some());
}

#[tokio::test]
async fn somebody_is_here_while_they_are_at_any_gateway() {
    let redis = TestRedis::database().await;
    let world = world(&redis).await;
    let (a, b) = (world.person("a").await, world.person("b").await);
    let room = world.room(&[&a, &b]).await;
    let mut watching = world.subscribe(&a, room).await;
    let here = world.log_in(&b).await;
    assert_eq!(presence(&mut watching, &b).await, "online");
    let other = OtherGateway::of(&world, &redis).await;
    let online = Some(PresenceState::Online);
    assert_eq!(other.note(b.id, online, TERMS).await, 0);
    drop(here);
    // Longer than the grace: the other gateway has them.
    assert_eq!(
        other.note(b.id, Some(PresenceState::Away), TERMS).await,
        0,
        "the socket that has gone counts until its grace has passed"
    );
    assert_eq!(presence(&mut watching, &b).await, "away");
    assert_eq!(other.note(b.id, None, TERMS).await, 0);
    assert_eq!(presence(&mut watching, &b).await, "offline");
}

#[tokio::test]
async fn without_redis_sockets_work_as_ever_and_presence_is_unknown() {
    let redis = TestRedis::start().await;
    let world = world(&redis).await;
    let (a, b) = (world.person("a").await, world.person("b").await);
    let room = world.room(&[&a, &b]).await;
    let mut watching = world.subscribe(&a, room).await;
    let other = OtherGateway::of(&world, &redis).await;
    redis.stop().await;
    let mut sending = world.log_in(&b).await;
    let ok = sending
        .ask(json!({ "type": "presence", "state": "away" }))
        .await;
    assert_eq!(ok["type"], "ok", "{ok}");
    world.say(room, &b, "still here").await;
    assert_eq!(watching.messages(1).await[0].1, "still here");
    let known = other.presences.look(&[b.id]).await;
    assert_eq!(known[0].state, PresenceState::Unknown);
    redis.resume().await;
    // It is asked for every second; what was not noted meanwhile comes with the next change.
    loop {
        sending
            .ask(json!({ "type": "presence", "state": "online" }))
            .await;
        if other.presences.look(&[b.id]).await[0].state == PresenceState::Online {
            break;
        }
    }
}

#[tokio::test]
async fn who_joins_is_told_of_as_present_or_not() {
    let redis = TestRedis::database().await;
    let world = world(&redis).await;
    let (owner, here, away) = (
        world.person("a").await,
        world.person("b").await,
        world.person("c").await,
    );
    let room = world.room(&[&owner]).await;
    let mut there = world.log_in(&owner).await;
    let other = OtherGateway::of(&world, &redis).await;
    other
        .note(here.id, Some(PresenceState::Online), TERMS)
        .await;
    for (person, state) in [(&here, "online"), (&away, "offline")] {
        world.join(room, person).await;
        let frame = there.next_of("member").await;
        assert_eq!(frame["member"]["userId"], json!(person.id));
        assert_eq!(frame["member"]["presence"], state);
    }
}
