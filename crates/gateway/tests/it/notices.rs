//! Changes of rooms and memberships, told to every socket of the members.

use doran_contract::{
    events::{
        ChatRoomArchived, ChatRoomDeleted, ChatRoomDescribed, ChatRoomRenamed,
        ChatRoomSettingsChanged, ChatRoomUnarchived, ChatRoomVisibilityChanged, MemberBanned,
        MemberRoleChanged, RoomEvent,
    },
    room::{RoomRole, Visibility},
    subject,
};
use serde_json::json;

use crate::{client::Client, stomp_client::StompClient, world::World};

#[tokio::test]
async fn a_new_room_is_told_to_each_member_as_they_see_it() {
    let world = World::start().await;
    let (owner, member) = (world.person("a").await, world.person("b").await);
    let (mut first, mut second) = (world.log_in(&owner).await, world.log_in(&member).await);
    let mut stranger = world.log_in(&world.person("c").await).await;
    let room = world.room(&[&owner, &member]).await;
    for (client, role) in [(&mut first, "owner"), (&mut second, "member")] {
        let frame = client.next().await;
        assert_eq!(
            (&frame["type"], &frame["change"]),
            (&json!("room"), &json!("created"))
        );
        assert_eq!(frame["roomId"], json!(room));
        assert_eq!(frame["room"]["id"], json!(room));
        assert_eq!(frame["room"]["name"], "회의실");
        assert_eq!(frame["room"]["role"], role);
        assert_eq!(frame["room"]["memberCount"], 2);
        assert_eq!(frame["room"]["ownerId"], json!(owner.id));
        assert_eq!(frame["room"]["status"], "active");
    }
    stranger.nothing_came().await;
}

#[tokio::test]
async fn a_changed_room_is_told_with_all_its_changes() {
    let world = World::start().await;
    let owner = world.person("a").await;
    let room = world.room(&[&owner]).await;
    let mut client = world.log_in(&owner).await;
    let name = "새 이름".to_owned();
    world
        .append_room(
            room,
            ChatRoomRenamed {
                room_id: room,
                name,
            },
        )
        .await;
    let frame = client.next().await;
    assert_eq!(
        (&frame["type"], &frame["change"]),
        (&json!("room"), &json!("renamed"))
    );
    assert_eq!(frame["room"]["name"], "새 이름");
    let description = Some("무엇".to_owned());
    world
        .append_room(
            room,
            ChatRoomDescribed {
                room_id: room,
                description,
            },
        )
        .await;
    let frame = client.next().await;
    assert_eq!(frame["change"], "described");
    assert_eq!(frame["room"]["name"], "새 이름");
    assert_eq!(frame["room"]["description"], "무엇");
}

#[tokio::test]
async fn joining_and_leaving_are_told_to_those_who_are_there_and_to_the_person() {
    let world = World::start().await;
    let (owner, invited) = (world.person("a").await, world.person("영희").await);
    let room = world.room(&[&owner]).await;
    let (mut there, mut person) = (world.log_in(&owner).await, world.log_in(&invited).await);
    world.join(room, &invited).await;
    for client in [&mut there, &mut person] {
        let frame = client.next().await;
        assert_eq!(
            (&frame["type"], &frame["change"]),
            (&json!("member"), &json!("joined"))
        );
        assert_eq!(frame["roomId"], json!(room));
        assert_eq!(
            frame["member"],
            json!({ "userId": invited.id, "name": "영희", "picture": null, "role": "member",
                    "joinedAt": "2026-03-01T09:00:00.000Z", "presence": "unknown" })
        );
    }
    world.clock.advance(std::time::Duration::from_mins(1));
    world.remove(room, &invited, None).await;
    for client in [&mut there, &mut person] {
        let frame = client.next().await;
        assert_eq!(
            (&frame["type"], &frame["change"]),
            (&json!("member"), &json!("left"))
        );
        assert_eq!(frame["member"]["userId"], json!(invited.id));
        assert_eq!(frame["member"]["joinedAt"], "2026-03-01T09:00:00.000Z");
    }
    // The first members are in no event of their own.
    world.remove(room, &owner, None).await;
    let frame = there.next().await;
    assert_eq!(frame["member"]["role"], "owner");
}

#[tokio::test]
async fn what_becomes_of_a_room_is_told_to_its_members_subscribed_or_not() {
    let world = World::start().await;
    let (owner, member) = (world.person("a").await, world.person("b").await);
    let room_id = world.room(&[&owner, &member]).await;
    let mut client = world.log_in(&member).await;
    let settings = [("theme".to_owned(), json!("dark"))].into_iter().collect();
    let visibility = Visibility::Public;
    let changes: [(RoomEvent, &str, &str, serde_json::Value); 5] = [
        (
            ChatRoomVisibilityChanged {
                room_id,
                visibility,
            }
            .into(),
            "visibility",
            "visibility",
            json!("public"),
        ),
        (
            ChatRoomSettingsChanged { room_id, settings }.into(),
            "settings",
            "settings",
            json!({ "theme": "dark" }),
        ),
        (
            ChatRoomArchived {
                room_id,
                archived_by: owner.id,
            }
            .into(),
            "archived",
            "status",
            json!("archived"),
        ),
        (
            ChatRoomUnarchived {
                room_id,
                unarchived_by: owner.id,
            }
            .into(),
            "unarchived",
            "status",
            json!("active"),
        ),
        (
            ChatRoomDeleted {
                room_id,
                deleted_by: owner.id,
            }
            .into(),
            "deleted",
            "visibility",
            json!("public"),
        ),
    ];
    for (event, change, field, expected) in changes {
        world.append_room(room_id, event).await;
        let frame = client.next().await;
        assert_eq!(
            (&frame["type"], &frame["change"]),
            (&json!("room"), &json!(change))
        );
        assert_eq!(frame["room"][field], expected, "{change}");
    }
    let asked = client
        .ask(json!({ "type": "subscribe", "roomId": room_id }))
        .await;
    assert_eq!(asked["code"], "NOT_FOUND");
}

#[tokio::test]
async fn a_new_role_and_a_ban_are_told_to_everybody_and_a_ban_ends_the_subscription() {
    let world = World::start().await;
    let (owner, member) = (world.person("a").await, world.person("b").await);
    let room_id = world.room(&[&owner, &member]).await;
    let mut of_owner = world.log_in(&owner).await;
    let mut of_member = world.subscribe(&member, room_id).await;
    let promoted = MemberRoleChanged {
        room_id,
        user_id: member.id,
        role: RoomRole::Admin,
        changed_by: owner.id,
    };
    let banned = MemberBanned {
        room_id,
        user_id: member.id,
        banned_by: owner.id,
    };
    for (event, change) in [
        (RoomEvent::from(promoted), "role"),
        (RoomEvent::from(banned), "banned"),
    ] {
        world.append_room(room_id, event).await;
        for client in [&mut of_owner, &mut of_member] {
            let frame = client.next().await;
            assert_eq!(
                (&frame["type"], &frame["change"]),
                (&json!("member"), &json!(change))
            );
            assert_eq!(frame["member"]["userId"], json!(member.id));
            assert_eq!(frame["member"]["role"], "admin");
        }
    }
    world.say(room_id, &owner, "after").await;
    of_member.nothing_came().await;
}

#[tokio::test]
async fn what_operators_say_reaches_everybody_who_is_connected_and_nobody_twice() {
    let world = World::start().await;
    let (a, b) = (world.person("a").await, world.person("b").await);
    let (mut desk, mut phone) = (world.log_in(&a).await, world.log_in(&a).await);
    let mut old = StompClient::connect(world.address, &b.token).await;
    old.subscribe("n", "/user/queue/notices").await;
    let nats = world.nats.client().await;
    let long = json!({ "message": "x".repeat(501), "at": "2026-03-01T09:00:00.000Z" });
    let said = json!({ "message": "<b>22시</b> 점검", "at": "2026-03-01T09:00:00.000Z" });
    for body in ["nonsense".to_owned(), long.to_string()] {
        nats.publish(subject::NOTICE, body.into()).await.unwrap();
    }
    let told = nats.request(subject::NOTICE, said.to_string().into()).await;
    assert_eq!(told.unwrap().payload, "3");
    for client in [&mut desk, &mut phone] {
        let frame = client.next().await;
        assert_eq!(frame["type"], "notice");
        assert_eq!(
            (&frame["message"], &frame["at"]),
            (&said["message"], &said["at"])
        );
        client.nothing_came().await;
    }
    let told = old.next().await;
    assert_eq!(told.header("type"), "notice");
    assert_eq!(told.json()["message"], said["message"]);
}

#[tokio::test]
async fn what_operators_say_reaches_sockets_at_every_gateway_that_have_logged_in() {
    let world = World::start().await;
    let (elsewhere, platform) = world.another_gateway().await;
    let person = world.person("a").await;
    let mut here = world.log_in(&person).await;
    let mut there = Client::connect(elsewhere, "/ws", &[]).await.unwrap();
    there.log_in(&person.token).await;
    let mut nobody = world.connect().await;
    assert_eq!(nobody.next().await["type"], "hello");
    let said = json!({ "message": "점검", "at": "2026-03-01T09:00:00.000Z" });
    let nats = world.nats.client().await;
    nats.publish(subject::NOTICE, said.to_string().into())
        .await
        .unwrap();
    for client in [&mut here, &mut there] {
        let frame = client.next_of("notice").await;
        assert_eq!(frame["message"], said["message"]);
    }
    // The next frame is the answer, and not what was said before.
    let auth = json!({ "type": "auth", "token": person.token });
    assert_eq!(nobody.ask(auth).await["type"], "ok");
    nobody.nothing_came().await;
    platform.lifecycle.stopping().cancel();
}
