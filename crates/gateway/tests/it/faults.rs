//! Messages that are lost on their way, servers that go away, clients that do not read.

use std::time::Duration;

use doran_contract::subject::{self, MESSAGE_STREAM};
use doran_gateway::Timing;
use serde_json::json;
use tokio::time::{Instant, timeout};

use crate::world::{Setup, World};

/// Lets the log store without telling anybody, as if what it told had been lost.
async fn republish(world: &World, is_on: bool) {
    let js = world.nats.jetstream().await;
    let mut config = js
        .get_stream(MESSAGE_STREAM)
        .await
        .unwrap()
        .cached_info()
        .config
        .clone();
    config.republish = is_on.then(|| async_nats::jetstream::stream::Republish {
        source: "message.>".to_owned(),
        destination: "live.message.>".to_owned(),
        headers_only: false,
    });
    js.update_stream(config).await.unwrap();
}

#[tokio::test]
async fn a_hole_is_filled_before_what_comes_after_it() {
    let timing = Timing {
        verify: Duration::from_hours(1),
        ..Timing::default()
    };
    let world = World::with(Setup {
        timing,
        ..Setup::default()
    })
    .await;
    let person = world.person("a").await;
    let room = world.room(&[&person]).await;
    let mut client = world.subscribe(&person, room).await;
    let mut stored = vec![(world.say(room, &person, "heard").await, "heard".to_owned())];
    republish(&world, false).await;
    for n in 0..3 {
        stored.push((
            world.say(room, &person, &n.to_string()).await,
            n.to_string(),
        ));
    }
    republish(&world, true).await;
    client.nothing_came_but(1).await;
    stored.push((world.say(room, &person, "after").await, "after".to_owned()));
    assert_eq!(client.messages(4).await, stored[1..]);
}

#[tokio::test]
async fn a_lost_last_message_is_found_by_comparing_heads() {
    let world = World::start().await;
    let person = world.person("a").await;
    let room = world.room(&[&person]).await;
    let mut client = world.subscribe(&person, room).await;
    republish(&world, false).await;
    let lost = world.say(room, &person, "lost").await;
    let shown = timeout(Duration::from_secs(3), client.messages(1))
        .await
        .unwrap();
    assert_eq!(shown, [(lost, "lost".to_owned())]);
}

#[tokio::test]
async fn a_forged_place_in_the_log_makes_nobody_see_what_is_not_there() {
    let world = World::start().await;
    let person = world.person("a").await;
    let room = world.room(&[&person]).await;
    let mut client = world.subscribe(&person, room).await;
    let nats = world.nats.client().await;
    let live = subject::live(&subject::message(room, "MessageSent"));
    nats.publish(live, "{}".into()).await.unwrap();
    nats.flush().await.unwrap();
    let seq = world.say(room, &person, "real").await;
    assert_eq!(client.messages(1).await, [(seq, "real".to_owned())]);
}

#[tokio::test]
async fn a_restarted_log_server_costs_nobody_a_message() {
    let world = World::start().await;
    let person = world.person("a").await;
    let room = world.room(&[&person]).await;
    let mut client = world.subscribe(&person, room).await;
    let mut stored = vec![(
        world.say(room, &person, "before").await,
        "before".to_owned(),
    )];
    for round in 0..3 {
        world.nats.kill().await;
        world.nats.resume().await;
        for n in 0..5 {
            let text = format!("{round}-{n}");
            let seq = loop {
                // The writer has lost its connection too.
                match world.try_say(room, person.id, &text, &text).await {
                    Ok(stored) => break stored.sequence,
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            };
            stored.push((seq, text));
        }
    }
    let shown = client.messages(stored.len()).await;
    assert_eq!(shown, stored);
}

#[tokio::test]
async fn sends_are_refused_while_the_log_is_away_and_go_on_by_themselves() {
    let world = World::start().await;
    let person = world.person("a").await;
    let room = world.room(&[&person]).await;
    let mut client = world.log_in(&person).await;
    let send = |n: u32| json!({ "type": "send", "roomId": room, "clientMessageId": format!("m-{n}"), "content": "x" });
    assert_eq!(client.ask(send(0)).await["type"], "ack");
    world.nats.stop().await;
    let asked = Instant::now();
    loop {
        let answer = client.ask(send(1)).await;
        if answer["code"] == "UNAVAILABLE" {
            assert_eq!(answer["retryable"], true);
            break;
        }
        assert_eq!(answer["code"], "FATE_UNKNOWN");
    }
    assert!(asked.elapsed() < Duration::from_secs(6));
    world.nats.resume().await;
    let resumed = Instant::now();
    loop {
        if client.ask(send(2)).await["type"] == "ack" {
            break;
        }
        assert!(resumed.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_gateway_that_is_cut_off_lets_its_sockets_go() {
    let timing = Timing {
        refuse_after: Duration::from_secs(2),
        close_after: Duration::from_secs(4),
        ..Timing::default()
    };
    let world = World::with(Setup {
        timing,
        ..Setup::default()
    })
    .await;
    let person = world.person("a").await;
    let room = world.room(&[&person]).await;
    let mut client = world.subscribe(&person, room).await;
    world.nats.stop().await;
    let cut_off = Instant::now();
    loop {
        let answer = client
            .ask(json!({ "type": "unsubscribe", "roomId": room }))
            .await;
        if answer["code"] == "UNAVAILABLE" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(cut_off.elapsed() < Duration::from_secs(4));
    assert_eq!(client.closed().await.0, 4005);
    assert!(cut_off.elapsed() < Duration::from_secs(7));
}

#[tokio::test]
async fn who_does_not_read_is_given_up_and_others_do_not_notice() {
    let world = World::start().await;
    let person = world.person("a").await;
    let room = world.room(&[&person]).await;
    let mut stuck = world.subscribe(&person, room).await;
    let mut reads = world.subscribe(&person, room).await;
    let long = "x".repeat(10_000);
    // More than its queue and the kernel's buffers hold together.
    let mut shown = 0;
    for _ in 0..1500 {
        world.say(room, &person, &long).await;
        shown += reads.messages(1).await.len();
    }
    assert_eq!(shown, 1500);
    let ended = timeout(Duration::from_secs(10), stuck.ended()).await;
    ended.expect("a socket that does not read is closed");
}
