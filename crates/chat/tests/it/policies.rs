//! Rooms follow the account of their owner.

use axum::http::Method;
use doran_contract::{RoomId, user::UserStatus};
use doran_projection::policy::report;
use serde_json::json;

use crate::world::{Person, World, until};

/// None while the read model does not have the room.
async fn status(world: &World, person: &Person, room: RoomId) -> Option<String> {
    let path = format!("/api/chat/rooms/{room}");
    let reply = world.get(person, &path).send().await;
    if reply.status == 503 {
        return None;
    }
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.data()["status"].as_str().map(str::to_owned)
}

async fn until_status(world: &World, person: &Person, room: RoomId, wanted: &str) {
    until(async || status(world, person, room).await.as_deref() == Some(wanted)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspension_deactivates_the_rooms_that_the_person_owns_and_a_return_undoes_that() {
    let world = World::start().await;
    until(async || {
        report(&world.platform.js, &doran_chat::FOLLOW_OWNER)
            .await
            .is_ok()
    })
    .await;
    let (kim, lee) = (world.person("kim").await, world.person("lee").await);
    let own = [
        world.room(&kim, &[&lee]).await,
        world.room(&kim, &[&lee]).await,
    ];
    let other = world.room(&lee, &[&kim]).await;
    for (change, expected) in [
        (UserStatus::Suspended, "deactivated"),
        (UserStatus::Active, "active"),
        (UserStatus::Inactive, "restricted"),
        (UserStatus::Suspended, "deactivated"),
        (UserStatus::Inactive, "restricted"),
        (UserStatus::Active, "active"),
    ] {
        world.change_status(&kim, change).await;
        for room in own {
            until_status(&world, &lee, room, expected).await;
            let said = world
                .send(&lee, room, &json!({ "content": "네" }))
                .send()
                .await;
            if expected == "active" {
                assert_eq!(said.status, 201, "{}", said.body);
            } else {
                assert_eq!(said.refusal(), (409, "ROOM_INACTIVE"));
            }
        }
        assert_eq!(status(&world, &lee, other).await.as_deref(), Some("active"));
        world.say(&lee, other, "여기는 괜찮아").await;
    }
    // One event for each change and room, and none for the room of somebody else.
    let events = world.raw("CHATROOM").await;
    let of = |room: RoomId| {
        events
            .iter()
            .filter(|event| event.contains(&room.to_string()))
            .count()
    };
    assert_eq!((of(own[0]), of(own[1]), of(other)), (7, 7, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_is_not_active_refuses_changes_and_lets_members_go() {
    let world = World::start().await;
    until(async || {
        report(&world.platform.js, &doran_chat::FOLLOW_OWNER)
            .await
            .is_ok()
    })
    .await;
    let (kim, lee) = (world.person("kim").await, world.person("lee").await);
    let room = world.room(&kim, &[&lee]).await;
    world.change_status(&kim, UserStatus::Inactive).await;
    until_status(&world, &kim, room, "restricted").await;
    let path = format!("/api/chat/rooms/{room}");
    let rename = world
        .call(Method::PATCH, &kim, &path)
        .json(&json!({ "name": "새 이름" }));
    assert_eq!(rename.send().await.refusal(), (409, "ROOM_INACTIVE"));
    let left = world
        .call(Method::POST, &lee, &format!("{path}/leave"))
        .send()
        .await;
    assert_eq!(left.status, 200, "{}", left.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_while_the_service_is_away_is_followed_when_it_is_back() {
    let mut world = World::start().await;
    until(async || {
        report(&world.platform.js, &doran_chat::FOLLOW_OWNER)
            .await
            .is_ok()
    })
    .await;
    let (kim, lee) = (world.person("kim").await, world.person("lee").await);
    let room = world.room(&kim, &[&lee]).await;
    world.platform.lifecycle.stop().await;
    world.change_status(&kim, UserStatus::Suspended).await;
    world.restart().await;
    until_status(&world, &lee, room, "deactivated").await;
}

async fn members(world: &World, person: &Person, room: RoomId) -> Vec<(String, String)> {
    let path = format!("/api/chat/rooms/{room}/members");
    let reply = world.get(person, &path).send().await;
    if reply.status == 503 {
        return Vec::new();
    }
    let items = reply.data()["items"].as_array().unwrap().clone();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    items
        .iter()
        .map(|member| (text(&member["userId"]), text(&member["role"])))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_deleted_leaves_every_room_and_what_they_own_passes_on() {
    let world = World::start().await;
    until(async || {
        report(&world.platform.js, &doran_chat::LET_DELETED_GO)
            .await
            .is_ok()
    })
    .await;
    let (kim, lee, han) = (
        world.person("kim").await,
        world.person("lee").await,
        world.person("han").await,
    );
    let owned = world.room(&kim, &[&lee, &han]).await;
    let raise = world.call(
        Method::PATCH,
        &kim,
        &format!("/api/chat/rooms/{owned}/members/{}", han.id),
    );
    let raised = raise.json(&json!({ "role": "admin" })).send().await;
    assert_eq!(raised.status, 200, "{}", raised.body);
    let other = world.room(&lee, &[&kim, &han]).await;
    world.delete(&kim).await;
    let of = |person: &Person, role: &str| (person.id.to_string(), role.to_owned());
    let expected = [of(&han, "owner"), of(&lee, "member")];
    until(async || {
        let mut now = members(&world, &lee, owned).await;
        now.sort_by(|a, b| b.1.cmp(&a.1));
        now == expected
    })
    .await;
    until(async || members(&world, &lee, other).await.len() == 2).await;
    let room = world.get(&han, &format!("/api/chat/rooms/{owned}"));
    let room = room.send().await;
    let room = room.data();
    assert_eq!(room["ownerId"], json!(han.id));
    assert_eq!(
        (&room["status"], &room["memberCount"]),
        (&json!("active"), &json!(2))
    );
    let archive = world.call(
        Method::POST,
        &han,
        &format!("/api/chat/rooms/{owned}/archive"),
    );
    assert_eq!(archive.send().await.status, 200);
}
