//! Coming back: everything that was missed, or a plain word that it cannot be had.

use doran_contract::{RoomId, subject};
use serde_json::{Value, json};

use crate::{
    client::Client,
    world::{Person, World},
};

async fn resume(client: &mut Client, room: RoomId, epoch: &Value, seq: u64) -> Value {
    client
        .ask(
            json!({ "type": "subscribe", "roomId": room, "since": { "epoch": epoch, "seq": seq } }),
        )
        .await
}

async fn epoch(client: &mut Client, room: RoomId) -> Value {
    client.subscribe(room).await["epoch"].take()
}

async fn one_in_a_room(world: &World) -> (Person, RoomId, Client, Value) {
    let person = world.person("a").await;
    let room = world.room(&[&person]).await;
    let mut client = world.log_in(&person).await;
    let epoch = epoch(&mut client, room).await;
    (person, room, client, epoch)
}

#[tokio::test]
async fn what_was_missed_comes_before_caught_up() {
    let world = World::start().await;
    let (person, room, mut client, epoch) = one_in_a_room(&world).await;
    let seen = world.say(room, &person, "seen").await;
    client.messages(1).await;
    drop(client);
    let mut missed = Vec::new();
    for n in 0..20 {
        missed.push((
            world.say(room, &person, &n.to_string()).await,
            n.to_string(),
        ));
    }
    let mut client = world.log_in(&person).await;
    let ok = resume(&mut client, room, &epoch, seen).await;
    assert_eq!(ok["complete"], true);
    assert_eq!(ok["head"], missed.last().unwrap().0);
    assert_eq!(ok.get("reason"), None);
    let first = client.next().await;
    assert_eq!(
        (&first["seq"], &first["prev"]),
        (&json!(missed[0].0), &json!(seen))
    );
    assert_eq!(client.messages(19).await, missed[1..]);
    let caught_up = client.next().await;
    let head = missed.last().unwrap().0;
    assert_eq!(
        caught_up,
        json!({ "type": "caughtUp", "roomId": room, "seq": head })
    );

    let live = world.say(room, &person, "live").await;
    let frame = client.next().await;
    assert_eq!(
        (&frame["seq"], &frame["prev"]),
        (&json!(live), &json!(head))
    );
}

#[tokio::test]
async fn nothing_missed_is_complete_too() {
    let world = World::start().await;
    let (person, room, _client, epoch) = one_in_a_room(&world).await;
    let head = world.say(room, &person, "seen").await;
    let mut client = world.log_in(&person).await;
    let ok = resume(&mut client, room, &epoch, head).await;
    assert_eq!(ok["complete"], true);
    assert_eq!(client.next().await["type"], "caughtUp");
}

#[tokio::test]
async fn messages_that_come_while_one_resumes_come_once_and_in_order() {
    let world = World::start().await;
    let (person, room, mut client, epoch) = one_in_a_room(&world).await;
    let (writer, reader) = tokio::join!(
        async {
            let mut stored = Vec::new();
            for n in 0..400 {
                stored.push((
                    world.say(room, &person, &n.to_string()).await,
                    n.to_string(),
                ));
            }
            stored
        },
        async {
            client.messages(50).await;
            // Again and again in the middle of it, on new sockets.
            let mut reader = client;
            let mut last = 0;
            let mut seen = Vec::new();
            while seen.len() < 400 {
                let mut fresh = world.log_in(&person).await;
                resume(&mut fresh, room, &epoch, last).await;
                let most = 60.min(400 - seen.len());
                seen.extend(fresh.messages(most).await);
                last = seen.last().unwrap().0;
                reader = fresh;
            }
            drop(reader);
            seen
        }
    );
    assert_eq!(reader, writer);
}

#[tokio::test]
async fn another_log_too_much_and_the_unreadable_are_said_plainly() {
    let world = World::start().await;
    let (person, room, mut client, epoch) = one_in_a_room(&world).await;
    let first = world.say(room, &person, "first").await;
    client.messages(1).await;

    let ok = resume(&mut client, room, &json!("another"), first).await;
    assert_eq!(
        (&ok["complete"], &ok["reason"]),
        (&json!(false), &json!("epoch"))
    );
    let ok = resume(&mut client, room, &epoch, 1_000_000).await;
    assert_eq!(
        (&ok["complete"], &ok["reason"]),
        (&json!(false), &json!("epoch"))
    );

    let mut last = first;
    for n in 0..500 {
        last = world.say(room, &person, &n.to_string()).await;
    }
    let mut client = world.log_in(&person).await;
    let ok = resume(&mut client, room, &epoch, first).await;
    assert_eq!(ok["complete"], true);
    client.messages(500).await;
    let mut client = world.log_in(&person).await;
    let ok = resume(&mut client, room, &epoch, 0).await;
    assert_eq!(
        (&ok["complete"], &ok["reason"]),
        (&json!(false), &json!("tooFar"))
    );
    assert_eq!(ok["head"], last);

    world
        .append(
            subject::message(room, "MessageSent"),
            "MessageSent",
            &json!({ "odd": true }),
        )
        .await;
    // Once the gateway has shown what comes after it, it has met it as well.
    world.say(room, &person, "after").await;
    client.next_of("message").await;
    let mut client = world.log_in(&person).await;
    let ok = resume(&mut client, room, &epoch, last).await;
    assert_eq!(
        (&ok["complete"], &ok["reason"]),
        (&json!(false), &json!("gap"))
    );
    // Live events come all the same.
    world.say(room, &person, "live").await;
    assert_eq!(
        client.next_of("message").await["message"]["content"],
        "live"
    );
}

#[tokio::test]
async fn an_event_that_cannot_be_shown_is_named_as_the_one_before() {
    let world = World::start().await;
    let (person, room, mut client, _) = one_in_a_room(&world).await;
    world.say(room, &person, "fine").await;
    let odd = world
        .append(
            subject::message(room, "MessageSent"),
            "MessageSent",
            &json!({ "odd": true }),
        )
        .await;
    world.say(room, &person, "fine again").await;
    client.messages(1).await;
    assert_eq!(client.next().await["prev"], odd);
}

#[tokio::test]
async fn a_room_full_of_long_messages_is_given_as_fast_as_the_client_reads() {
    let world = World::start().await;
    let (person, room, client, epoch) = one_in_a_room(&world).await;
    drop(client);
    let long = "가".repeat(10_000);
    for _ in 0..100 {
        world.say(room, &person, &long).await;
    }
    // Three megabytes, far beyond what may wait for a socket.
    let mut client = world.log_in(&person).await;
    let ok = resume(&mut client, room, &epoch, 0).await;
    assert_eq!(ok["complete"], true);
    // The last of them may reach this gateway after the client was told that it has the rest.
    let (mut messages, mut has_caught_up) = (0, false);
    while messages < 100 || !has_caught_up {
        let frame = client.next().await;
        messages += usize::from(frame["type"] == "message");
        has_caught_up |= frame["type"] == "caughtUp";
    }
}
