//! `PUT /api/chat/rooms/{id}/read` and what is unread.

use axum::http::Method;
use doran_contract::RoomId;
use serde_json::json;

use crate::world::{Person, World, sequence};

struct Two {
    world: World,
    kim: Person,
    lee: Person,
    room: RoomId,
}

async fn two() -> Two {
    let world = World::start().await;
    let (kim, lee) = (world.person("kim").await, world.person("lee").await);
    let room = world.room(&kim, &[&lee]).await;
    Two {
        world,
        kim,
        lee,
        room,
    }
}

impl Two {
    async fn read(&self, person: &Person, seq: u64) -> doran_testkit::Reply {
        let path = format!("/api/chat/rooms/{}/read", self.room);
        let call = self.world.call(Method::PUT, person, &path);
        call.json(&json!({ "seq": seq })).send().await
    }

    /// Unread messages and mentions at a position.
    async fn unread(&self, person: &Person, position: &str) -> (u64, u64) {
        let path = format!("/api/chat/rooms/{}", self.room);
        let call = self.world.get(person, &path);
        let room = call.header("doran-min-position", position).send().await;
        let room = room.data();
        let count = |field: &str| room[field].as_u64().unwrap();
        (count("unreadCount"), count("mentionCount"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_said_after_the_marker_is_unread() {
    let two = two().await;
    let (world, kim, lee, room) = (&two.world, &two.kim, &two.lee, two.room);
    let first = world.say(kim, room, "1").await;
    world.say(lee, room, "2").await;
    let call = world.send(
        kim,
        room,
        &json!({ "content": "3", "mentions": [lee.id, kim.id] }),
    );
    let last = call.send().await;
    let position = last.header("doran-position");
    assert_eq!(two.unread(lee, position).await, (2, 1));
    assert_eq!(two.unread(kim, position).await, (1, 0));

    let moved = two.read(lee, sequence(&first)).await;
    assert_eq!(moved.data()["seq"], json!(sequence(&first)));
    assert_eq!(
        two.unread(lee, moved.header("doran-position")).await,
        (1, 1)
    );
    let moved = two.read(lee, u64::MAX).await;
    assert_eq!(moved.data()["seq"], json!(sequence(&last)));
    assert_eq!(
        two.unread(lee, moved.header("doran-position")).await,
        (0, 0)
    );
    let path = format!("/api/chat/rooms/{room}/read");
    let marker = world.get(lee, &path).send().await;
    assert_eq!(marker.data()["seq"], json!(sequence(&last)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_marker_moves_forward_only_also_after_a_restart() {
    let mut two = two().await;
    let (kim, lee) = (two.kim.clone(), two.lee.clone());
    let nothing = two.read(&lee, 1).await;
    assert_eq!(
        (
            nothing.data()["seq"].as_u64(),
            nothing.header("doran-position")
        ),
        (Some(0), "")
    );
    let first = sequence(&two.world.say(&kim, two.room, "1").await);
    two.world.say(&kim, two.room, "2").await;
    let second = two.read(&lee, first + 1).await;
    let events = two.world.head("MESSAGE").await;
    two.unread(&lee, second.header("doran-position")).await;
    for _ in 0..2 {
        let back = two.read(&lee, first).await;
        assert_eq!(back.data()["seq"], json!(first + 1));
        two.world.restart().await;
    }
    assert_eq!(two.world.head("MESSAGE").await, events);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_later_has_not_missed_what_was_said_before() {
    let two = two().await;
    let (world, kim, room) = (&two.world, &two.kim, two.room);
    let park = world.person("park").await;
    for n in 0..3 {
        world.say(kim, room, &format!("{n}")).await;
    }
    let path = format!("/api/chat/rooms/{room}/members");
    let added = world.post(kim, &path, &json!({ "userId": park.id })).send();
    let added = added.await.header("doran-position").to_owned();
    let said = world.say(kim, room, "welcome").await;
    let position = format!("{added},{}", said.header("doran-position"));
    assert_eq!(two.unread(&park, &position).await, (1, 0));
}
