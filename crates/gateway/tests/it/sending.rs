//! Frames that write: through the chat service, acknowledged after the log has them.

use std::{sync::atomic::Ordering, time::Duration};

use serde_json::{Value, json};

use crate::world::World;

fn send(room: doran_contract::RoomId, id: &str, content: &str) -> Value {
    json!({ "type": "send", "roomId": room, "clientMessageId": id, "content": content,
            "replyTo": null, "fileIds": [] })
}

#[tokio::test]
async fn a_message_is_acknowledged_and_comes_back_like_everybody_elses() {
    let world = World::start().await;
    let person = world.person("a").await;
    let room = world.room(&[&person]).await;
    let mut client = world.subscribe(&person, room).await;
    client.send(send(room, "m-1", "안녕")).await;
    let mut frames = [client.next().await, client.next().await];
    frames.sort_by_key(|frame| frame["type"].as_str().unwrap().to_owned());
    let [ack, message] = frames;
    assert_eq!(ack["type"], "ack");
    assert_eq!(ack["id"], 3);
    assert_eq!(ack["duplicate"], false);
    assert_eq!(ack["durability"], "fsync");
    assert_eq!(message["message"]["id"], ack["messageId"]);
    assert_eq!(message["seq"], ack["seq"]);
    assert_eq!(message["message"]["createdAt"], ack["createdAt"]);

    let again = client.ask(send(room, "m-1", "안녕")).await;
    assert_eq!(again["duplicate"], true);
    assert_eq!(again["messageId"], ack["messageId"]);
    assert_eq!(again["seq"], ack["seq"]);
    client.nothing_came().await;
}

#[tokio::test]
async fn what_one_socket_sends_without_waiting_stays_in_order() {
    // So many lie on the way; who never read would be given up.
    const AHEAD: usize = 200;
    const ALL: usize = 10_000;
    let world = World::start().await;
    let person = world.person("a").await;
    let room = world.room(&[&person]).await;
    let mut client = world.subscribe(&person, room).await;
    let mut shown = Vec::new();
    for n in 0..ALL {
        client
            .send(send(room, &format!("m-{n}"), &n.to_string()))
            .await;
        if n >= AHEAD {
            shown.extend(client.messages(1).await);
        }
    }
    shown.extend(client.messages(AHEAD).await);
    assert!(shown.is_sorted_by_key(|(seq, _)| *seq));
    let shown: Vec<_> = shown.into_iter().map(|(_, text)| text).collect();
    let expected: Vec<_> = (0..ALL).map(|n| n.to_string()).collect();
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn a_message_that_was_sent_before_the_socket_was_closed_is_stored() {
    let world = World::start().await;
    let person = world.person("a").await;
    let room = world.room(&[&person]).await;
    let mut reader = world.subscribe(&person, room).await;
    let mut client = world.log_in(&person).await;
    for n in 0..10 {
        client
            .send(send(room, &format!("m-{n}"), &n.to_string()))
            .await;
    }
    client
        .raw(tokio_tungstenite::tungstenite::Message::Close(None))
        .await;
    assert_eq!(reader.messages(10).await.len(), 10);
}

#[tokio::test]
async fn refusals_come_with_their_code() {
    let world = World::start().await;
    let person = world.person("a").await;
    let room = world.room(&[&person]).await;
    let mut client = world.log_in(&person).await;
    let refused = client.ask(send(room, "m-1", "forbidden")).await;
    assert_eq!(refused["code"], "ROOM_INACTIVE");
    let long = send(room, "m-2", &"가".repeat(10_001));
    let refused = client.ask_unchecked(long).await;
    assert_eq!(refused["code"], "TOO_LARGE");
    assert_eq!(world.chat.received.lock().unwrap().len(), 1);
    let mut files = send(room, "m-3", "x");
    files["fileIds"] = json!(["f"]);
    assert_eq!(client.ask_unchecked(files).await["code"], "BAD_REQUEST");
    let ok = client
        .ask(json!({ "type": "read", "roomId": room, "seq": 9 }))
        .await;
    assert_eq!(
        ok,
        json!({ "type": "ok", "id": 5, "roomId": room, "seq": 7 })
    );
}

#[tokio::test]
async fn a_chat_service_that_does_not_answer_leaves_the_fate_unknown_and_holds_up_nothing_else() {
    let world = World::start().await;
    let person = world.person("a").await;
    let room = world.room(&[&person]).await;
    let mut client = world.log_in(&person).await;
    world.chat.is_silent.store(true, Ordering::Relaxed);
    let sent = client.send(send(room, "m-1", "x")).await;
    client.subscribe(room).await;
    let asked = tokio::time::Instant::now();
    let answer = client.next().await;
    assert_eq!(answer["id"], sent);
    assert_eq!(answer["code"], "FATE_UNKNOWN");
    assert_eq!(answer["retryable"], true);
    assert!(asked.elapsed() < Duration::from_secs(6));
}
