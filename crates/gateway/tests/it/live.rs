//! Messages on their way from the log to subscribed sockets.

use doran_contract::{RoomId, events::AuthorErased};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_message_goes_to_everybody_who_is_subscribed() {
    let world = World::start().await;
    let (one, other) = (world.person("a").await, world.person("b").await);
    let room = world.room(&[&one, &other]).await;
    let before = world.say(room, &one, "before").await;
    let mut first = world.log_in(&one).await;
    let ok = first.subscribe(room).await;
    assert_eq!(ok["head"], before);
    assert_eq!(ok["complete"], true);
    assert_eq!(ok["role"], "owner");
    assert_eq!(ok["readSeq"], 42);
    assert!(ok["epoch"].is_string());
    let mut second = world.subscribe(&other, room).await;

    let seq = world.say_as(room, &one, "m-1", "안녕").await.sequence;
    for client in [&mut first, &mut second] {
        let frame = client.next().await;
        assert_eq!(frame["type"], "message");
        assert_eq!(frame["roomId"], json!(room));
        assert_eq!(
            (&frame["seq"], &frame["prev"]),
            (&json!(seq), &json!(before))
        );
        let message = &frame["message"];
        assert_eq!(message["content"], "안녕");
        assert_eq!(message["senderId"], json!(one.id));
        assert_eq!(message["clientMessageId"], "m-1");
        assert_eq!(message["seq"], seq);
        assert_eq!(message["createdAt"], "2026-03-01T09:00:00.000Z");
    }
}

#[tokio::test]
async fn only_members_may_subscribe() {
    let world = World::start().await;
    let (member, stranger) = (world.person("a").await, world.person("b").await);
    let room = world.room(&[&member]).await;
    let mut client = world.log_in(&stranger).await;
    let refused = client
        .ask(json!({ "type": "subscribe", "roomId": room }))
        .await;
    assert_eq!(refused["code"], "NOT_MEMBER");
    let nowhere = RoomId::new(world.platform.clock.new_id());
    let refused = client
        .ask(json!({ "type": "subscribe", "roomId": nowhere }))
        .await;
    assert_eq!(refused["code"], "NOT_FOUND");
    world.say(room, &member, "secret").await;
    client.nothing_came().await;

    world.join(room, &stranger).await;
    client
        .send(json!({ "type": "subscribe", "roomId": room }))
        .await;
    assert_eq!(client.next_of("ok").await["role"], "member");
}

#[tokio::test]
async fn rooms_are_kept_apart_and_a_room_can_be_left_alone_again() {
    let world = World::start().await;
    let person = world.person("a").await;
    let (room, other) = (world.room(&[&person]).await, world.room(&[&person]).await);
    let mut client = world.subscribe(&person, room).await;
    world.say(other, &person, "elsewhere").await;
    world.say(room, &person, "here").await;
    assert_eq!(client.messages(1).await[0].1, "here");

    let ok = client
        .ask(json!({ "type": "unsubscribe", "roomId": room }))
        .await;
    assert_eq!(ok["type"], "ok");
    assert_eq!(ok["roomId"], json!(room));
    // Once somebody else has it, it lies before the head from which the client goes on.
    let mut witness = world.subscribe(&person, room).await;
    world.say(room, &person, "unheard").await;
    assert_eq!(witness.messages(1).await[0].1, "unheard");
    client.subscribe(room).await;
    world.say(room, &person, "heard").await;
    assert_eq!(client.messages(1).await[0].1, "heard");
}

#[tokio::test]
async fn a_message_that_the_log_holds_twice_is_shown_once() {
    let world = World::start().await;
    let person = world.person("a").await;
    let room = world.room(&[&person]).await;
    let mut client = world.subscribe(&person, room).await;
    let first = world.say_as(room, &person, "m-1", "once").await.sequence;
    world.repeat(room, &person, "m-1").await;
    let next = world.say(room, &person, "next").await;
    let shown = client.messages(2).await;
    assert_eq!(
        shown,
        [(first, "once".to_owned()), (next, "next".to_owned())]
    );
}

#[tokio::test]
async fn who_is_removed_hears_of_it_and_then_nothing_more() {
    let world = World::start().await;
    let (owner, member) = (world.person("a").await, world.person("b").await);
    let room = world.room(&[&owner, &member]).await;
    let mut client = world.subscribe(&member, room).await;
    world.say(room, &owner, "before").await;
    assert_eq!(client.messages(1).await[0].1, "before");

    world.remove(room, &member, Some(&owner)).await;
    let told = client.next().await;
    assert_eq!(
        (&told["type"], &told["change"]),
        (&json!("member"), &json!("removed"))
    );
    assert_eq!(told["member"]["userId"], json!(member.id));
    world.say(room, &owner, "after").await;
    let mut stays = world.subscribe(&owner, room).await;
    world.say(room, &owner, "later").await;
    assert_eq!(stays.messages(1).await[0].1, "later");
    client.nothing_came().await;
}

#[tokio::test]
async fn subscribers_see_how_far_others_have_read() {
    let world = World::start().await;
    let (one, other) = (world.person("a").await, world.person("b").await);
    let room = world.room(&[&one, &other]).await;
    let mut client = world.subscribe(&one, room).await;
    let seq = world.say(room, &one, "x").await;
    client.messages(1).await;
    world.mark_read(room, &other, seq).await;
    let frame = client.next().await;
    assert_eq!(
        frame,
        json!({ "type": "read", "roomId": room, "userId": other.id, "seq": seq })
    );
    // It is not part of the timeline: the next message names the one before as the one before.
    world.say(room, &one, "y").await;
    assert_eq!(client.next().await["prev"], seq);
}

#[tokio::test]
async fn nobody_is_told_what_the_tables_drop_of_somebody_who_was_erased() {
    let world = World::start().await;
    let (one, other) = (world.person("a").await, world.person("b").await);
    let room_id = world.room(&[&one, &other]).await;
    let mut client = world.subscribe(&one, room_id).await;
    let before = world.say(room_id, &other, "before").await;
    client.messages(1).await;
    let user_id = other.id;
    let erased = AuthorErased { room_id, user_id };
    world.change(room_id, erased).await;
    world.say(room_id, &one, "after").await;
    let frame = client.next().await;
    assert_eq!(
        (&frame["message"]["content"], &frame["prev"]),
        (&json!("after"), &json!(before))
    );
}

#[tokio::test]
async fn many_messages_come_in_order_on_every_socket() {
    let world = World::start().await;
    let person = world.person("a").await;
    let room = world.room(&[&person]).await;
    let mut clients = Vec::new();
    for _ in 0..5 {
        clients.push(world.subscribe(&person, room).await);
    }
    let mut stored = Vec::new();
    for n in 0..300 {
        stored.push((
            world.say(room, &person, &n.to_string()).await,
            n.to_string(),
        ));
    }
    for client in &mut clients {
        assert_eq!(client.messages(300).await, stored);
    }
}

#[tokio::test]
async fn each_member_is_told_on_every_device_what_is_unread() {
    let world = World::start().await;
    let (one, other) = (world.person("a").await, world.person("b").await);
    let stranger = world.person("c").await;
    let room = world.room(&[&one, &other]).await;
    let (mut phone, mut desk) = (world.log_in(&one).await, world.subscribe(&one, room).await);
    let mut outside = world.log_in(&stranger).await;
    let unread = |after: u64| {
        json!({
            "type": "unread", "roomId": room, "unreadCount": after, "mentionCount": 1, "readSeq": 7,
        })
    };
    let said = world.say(room, &other, "x").await;
    for device in [&mut phone, &mut desk] {
        assert_eq!(device.next_of("unread").await, unread(said));
    }
    let read = world.mark_read(room, &one, said).await;
    for device in [&mut phone, &mut desk] {
        assert_eq!(device.next_of("unread").await, unread(read));
    }
    outside.send(json!({ "type": "ping" })).await;
    assert_eq!(outside.frame().await["type"], "pong");
}

#[tokio::test]
async fn of_much_that_is_said_at_once_the_last_is_told_and_not_each() {
    let world = World::start().await;
    let (one, other) = (world.person("a").await, world.person("b").await);
    let room = world.room(&[&one, &other]).await;
    let mut client = world.log_in(&one).await;
    let mut last = 0;
    for n in 0..200 {
        last = world.say(room, &other, &n.to_string()).await;
    }
    let mut told = 1;
    while client.next_of("unread").await["unreadCount"] != last {
        told += 1;
    }
    assert!(told < 50, "{told}");
}

#[tokio::test]
async fn history_is_asked_of_the_chat_service_with_the_persons_own_token() {
    let world = World::start().await;
    let person = world.person("a").await;
    let room = world.room(&[&person]).await;
    let mut client = world.log_in(&person).await;
    let page = client
        .ask(json!({ "type": "history", "roomId": room, "before": 7, "limit": 20 }))
        .await;
    assert_eq!(page["type"], "ok");
    assert_eq!(page["roomId"], json!(room));
    assert_eq!(page["head"], "before=7&limit=20".len());
    assert_eq!(page["items"], json!([]));
}
