//! What becomes of messages: the frames that change them, and those that tell of it.

use doran_contract::{
    ClientMessageId, MessageId, RoomId,
    events::{MessageDeleted, MessagePinned, MessageUnpinned, ReactionAdded, ReactionRemoved},
    subject,
};
use serde_json::{Value, json};

use crate::world::{Person, World};

struct Said {
    room_id: RoomId,
    message_id: MessageId,
    seq: u64,
}

async fn said(world: &World, person: &Person, room_id: RoomId) -> Said {
    let seq = world.say_as(room_id, person, "m-1", "안녕").await.sequence;
    let name = ClientMessageId::try_from("m-1".to_owned()).unwrap();
    Said {
        room_id,
        message_id: MessageId::derive(room_id, person.id, &name),
        seq,
    }
}

/// Everything that can become of a message, as it comes to lie in the log; the frames that tell it.
async fn live(world: &World, person: &Person, said: &Said) -> Vec<Value> {
    let Said {
        room_id,
        message_id,
        seq,
    } = *said;
    let (user_id, emoji) = (person.id, "👍".parse().unwrap());
    let added = ReactionAdded {
        message_id,
        room_id,
        user_id,
        emoji,
    };
    let removed = ReactionRemoved {
        message_id,
        room_id,
        user_id,
        emoji: added.emoji.clone(),
    };
    let pinned = MessagePinned {
        message_id,
        room_id,
        pinned_by: user_id,
    };
    let unpinned = MessageUnpinned {
        message_id,
        room_id,
        unpinned_by: user_id,
    };
    let deleted = MessageDeleted {
        message_id,
        room_id,
        deleted_by: user_id,
    };
    let seqs = [
        world.edit(room_id, person, message_id, "다시").await,
        world.change(room_id, added).await,
        world.change(room_id, removed).await,
        world.change(room_id, pinned).await,
        world.change(room_id, unpinned).await,
        world.change(room_id, deleted).await,
    ];
    let mut frames = vec![
        json!({ "type": "messageEdited", "content": "다시", "mentions": null,
            "editedAt": "2026-03-01T09:00:00.000Z" }),
        json!({ "type": "reaction", "emoji": "👍", "userId": user_id, "on": true }),
        json!({ "type": "reaction", "emoji": "👍", "userId": user_id, "on": false }),
        json!({ "type": "pinned", "userId": user_id, "on": true }),
        json!({ "type": "pinned", "userId": user_id, "on": false }),
        json!({ "type": "messageDeleted", "userId": user_id }),
    ];
    let mut prev = seq;
    for (frame, seq) in frames.iter_mut().zip(seqs) {
        frame["roomId"] = json!(room_id);
        frame["messageId"] = json!(message_id);
        frame["prev"] = json!(prev);
        frame["seq"] = json!(seq);
        prev = seq;
    }
    frames
}

#[tokio::test]
async fn what_becomes_of_a_message_is_told_live_and_once_more_in_order_to_who_comes_back() {
    let world = World::start().await;
    let person = world.person("a").await;
    let room = world.room(&[&person]).await;
    let mut client = world.log_in(&person).await;
    let epoch = client.subscribe(room).await["epoch"].take();
    let said = said(&world, &person, room).await;
    client.messages(1).await;
    let expected = live(&world, &person, &said).await;
    for frame in &expected {
        assert_eq!(&client.next().await, frame);
    }
    let head = &expected.last().unwrap()["seq"];

    let mut back = world.log_in(&person).await;
    let since = json!({ "epoch": epoch, "seq": said.seq });
    let ok = back
        .ask(json!({ "type": "subscribe", "roomId": room, "since": since }))
        .await;
    assert_eq!((&ok["complete"], &ok["head"]), (&json!(true), head));
    // It was deleted since, so that what it said is not told any more.
    let mut expected_again = expected.clone();
    expected_again[0]["content"] = Value::Null;
    for frame in &expected_again {
        assert_eq!(&back.next().await, frame);
    }
    assert_eq!(back.next().await["type"], "caughtUp");
    let next = world.say(room, &person, "next").await;
    for client in [&mut client, &mut back] {
        let frame = client.next().await;
        assert_eq!((&frame["seq"], &frame["prev"]), (&json!(next), head));
    }
}

#[tokio::test]
async fn changes_go_to_the_chat_service_and_are_answered_with_their_place() {
    let world = World::start().await;
    let person = world.person("a").await;
    let room = world.room(&[&person]).await;
    let mut client = world.log_in(&person).await;
    let message = MessageId::new(world.platform.clock.new_id());
    for (mut frame, expected) in [
        (
            json!({ "type": "edit", "content": "다시" }),
            json!({ "type": "edit", "content": "다시", "mentions": null }),
        ),
        (
            json!({ "type": "edit", "content": "다시", "mentions": [person.id] }),
            json!({ "type": "edit", "content": "다시", "mentions": [person.id] }),
        ),
        (json!({ "type": "delete" }), json!({ "type": "delete" })),
        (
            json!({ "type": "react", "emoji": "👍" }),
            json!({ "type": "react", "emoji": "👍" }),
        ),
        (
            json!({ "type": "unreact", "emoji": "👍" }),
            json!({ "type": "unreact", "emoji": "👍" }),
        ),
        (json!({ "type": "pin" }), json!({ "type": "pin" })),
        (json!({ "type": "unpin" }), json!({ "type": "unpin" })),
    ] {
        frame["roomId"] = json!(room);
        frame["messageId"] = json!(message);
        let mut ok = client.ask(frame).await;
        ok["id"] = Value::Null;
        let answer = json!({
            "type": "ok", "id": null, "roomId": room, "messageId": message, "seq": 8
        });
        assert_eq!(ok, answer);
        let received = world.chat.received.lock().unwrap().pop().unwrap();
        assert_eq!(serde_json::from_str::<Value>(&received).unwrap(), expected);
    }
    let long = "x".repeat(10_001);
    let long = json!({ "type": "edit", "roomId": room, "messageId": message, "content": long });
    assert_eq!(client.ask_unchecked(long).await["code"], "TOO_LARGE");
    let text = json!({ "type": "react", "roomId": room, "messageId": message, "emoji": "hello" });
    assert_eq!(client.ask(text).await["code"], "BAD_REQUEST");
}

#[tokio::test]
async fn a_change_that_was_lost_on_its_way_is_shown_in_its_place() {
    let world = World::start().await;
    let (person, room, said) = {
        let person = world.person("a").await;
        let room = world.room(&[&person]).await;
        let said = said(&world, &person, room).await;
        (person, room, said)
    };
    let mut client = world.subscribe(&person, room).await;
    world.nats.kill().await;
    world.nats.resume().await;
    let expected = live(&world, &person, &said).await;
    for frame in &expected {
        assert_eq!(&client.next().await, frame);
    }
}

#[tokio::test]
async fn typing_is_told_to_the_others_and_only_members_may_type() {
    let world = World::start().await;
    let (one, other, stranger) = (
        world.person("a").await,
        world.person("b").await,
        world.person("c").await,
    );
    let room = world.room(&[&one, &other]).await;
    let mut reader = world.subscribe(&one, room).await;
    let mut writer = world.subscribe(&other, room).await;
    for on in [true, false] {
        let typing = json!({ "type": "typing", "roomId": room, "on": on });
        assert_eq!(writer.ask(typing).await["type"], "ok");
        let expected = json!({ "type": "typing", "roomId": room, "userId": other.id, "on": on });
        assert_eq!(reader.next().await, expected);
    }
    writer.nothing_came().await;
    let mut outside = world.log_in(&stranger).await;
    let typing = json!({ "type": "typing", "roomId": room, "on": true });
    assert_eq!(outside.ask(typing).await["code"], "NOT_MEMBER");
    reader.nothing_came().await;
}

#[tokio::test]
async fn an_answer_that_a_bot_is_writing_is_told_to_the_subscribers_of_its_room() {
    let world = World::start().await;
    let (one, other) = (world.person("a").await, world.person("b").await);
    let room = world.room(&[&one]).await;
    let elsewhere = world.room(&[&other]).await;
    let mut reader = world.subscribe(&one, room).await;
    let mut outside = world.subscribe(&other, elsewhere).await;
    let message_id = MessageId::new(world.platform.clock.new_id());
    let delta = json!({ "roomId": room, "messageId": message_id, "n": 0, "text": "안" });
    let nats = world.nats.jetstream().await.client();
    let subject = subject::bot_delta(room);
    nats.publish(subject, delta.to_string().into())
        .await
        .unwrap();
    let mut expected = delta;
    expected["type"] = json!("botDelta");
    assert_eq!(reader.next().await, expected);
    outside.nothing_came().await;
}
