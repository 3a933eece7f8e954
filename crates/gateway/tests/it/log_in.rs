//! Who may open a socket, and for how long.

use std::time::{Duration, Instant};

use doran_contract::session::Revocation;
use doran_gateway::Timing;
use futures_util::future::join_all;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::{
    client::Client,
    world::{OWN_ORIGIN, Setup, World},
};

#[tokio::test]
async fn hello_comes_first_and_a_token_opens_the_socket() {
    let world = World::start().await;
    let person = world.person("민수").await;
    let mut client = world.connect().await;

    let hello = client.next().await;
    assert_eq!(hello["type"], "hello");
    assert_eq!(hello["pingMs"], 25000);
    assert_eq!(hello["maxFrame"], 65536);
    assert_eq!(hello["maxInFlight"], 32);
    assert_eq!(hello["resumeMax"], 500);
    assert_eq!(hello["version"], 1);
    assert!(hello["connection"].is_string());

    let ok = client
        .ask(json!({ "type": "auth", "token": person.token }))
        .await;
    assert_eq!(ok["type"], "ok");
    assert_eq!(ok["user"]["id"], json!(person.id));
    assert_eq!(ok["user"]["name"], "민수");
    assert_eq!(ok["sessionId"], json!(person.session));
    assert_eq!(ok["expiresAt"], "2026-03-01T09:05:00.000Z");
}

#[tokio::test]
async fn before_the_log_in_nothing_is_answered_but_that() {
    let world = World::start().await;
    let person = world.person("a").await;
    let room = world.room(&[&person]).await;
    let mut client = world.connect().await;
    client.next().await;
    for frame in [
        json!({ "type": "ping" }),
        json!({ "type": "subscribe", "roomId": room }),
        json!({ "type": "presence", "state": "online" }),
    ] {
        let answer = client.ask(frame).await;
        assert_eq!(answer["code"], "UNAUTHENTICATED", "{answer}");
        assert_eq!(answer["retryable"], false);
    }
    let ok = client
        .ask(json!({ "type": "auth", "token": person.token }))
        .await;
    assert_eq!(ok["type"], "ok");
}

#[tokio::test]
async fn a_bad_token_is_refused_and_the_socket_closed() {
    let world = World::start().await;
    let person = world.person("a").await;
    let expired = world.token(person.id, person.session, 60);
    let stranger = world.token(
        doran_contract::UserId::new(world.platform.clock.new_id()),
        person.session,
        300,
    );
    world.clock.advance(Duration::from_secs(100));
    let revoked = world.person("b").await;
    world.revoke(&revoked).await;
    let suspended = world.person("c").await;
    world.suspend(&suspended).await;
    for (token, code, close) in [
        ("nonsense", "UNAUTHENTICATED", 4501),
        (&expired, "TOKEN_EXPIRED", 4003),
        (&stranger, "UNAUTHENTICATED", 4503),
    ] {
        let mut client = world.connect().await;
        client.next().await;
        let answer = client.ask(json!({ "type": "auth", "token": token })).await;
        assert_eq!(answer["code"], code);
        assert_eq!(client.closed().await.0, close);
    }
    for (person, close) in [(&revoked, 4502), (&suspended, 4503)] {
        let mut client = world.connect().await;
        client.next().await;
        client
            .send(json!({ "type": "auth", "token": person.token }))
            .await;
        // Refused at once, or closed as soon as the event that was just written is known.
        assert_eq!(client.closed().await.0, close);
    }
}

#[tokio::test]
async fn who_does_not_log_in_is_closed() {
    let world = World::with(Setup {
        timing: Timing {
            authenticate: Duration::from_millis(100),
            ..Timing::default()
        },
        ..Setup::default()
    })
    .await;
    let mut client = world.connect().await;
    client.next().await;
    assert_eq!(client.closed().await.0, 4007);
}

#[tokio::test]
async fn an_ended_session_and_a_suspended_account_close_their_sockets_within_a_second() {
    let world = World::start().await;
    let (one, other) = (world.person("a").await, world.person("b").await);
    let (mut first, mut second) = (world.log_in(&one).await, world.log_in(&other).await);
    let mut stays = world.log_in(&world.person("c").await).await;

    world.revoke(&one).await;
    let closed = tokio::time::timeout(Duration::from_secs(1), first.closed()).await;
    assert_eq!(closed.expect("within a second").0, 4502);

    world.suspend(&other).await;
    let closed = tokio::time::timeout(Duration::from_secs(1), second.closed()).await;
    assert_eq!(closed.expect("within a second").0, 4503);
    stays.nothing_came().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sockets_of_a_hundred_suspended_people_close_within_a_second_each() {
    let world = World::start().await;
    let mut sockets = Vec::new();
    for n in 0..100 {
        let person = world.person(&format!("p{n}")).await;
        let socket = world.log_in(&person).await;
        sockets.push((person, socket));
    }
    let suspensions = sockets.into_iter().map(async |(person, mut socket)| {
        let suspended_at = Instant::now();
        // What the auth service's policy adds to it changes nothing about the code.
        let suspending = async {
            world.suspend(&person).await;
            world.revoke_because(&person, Revocation::Account).await;
        };
        let (code, ()) = tokio::join!(async { socket.closed().await.0 }, suspending);
        (code, suspended_at.elapsed())
    });
    let closed = join_all(suspensions).await;
    assert!(closed.iter().all(|(code, _)| *code == 4503), "{closed:?}");
    let slowest = closed.iter().map(|(_, took)| *took).max().unwrap();
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
}

#[tokio::test]
async fn a_session_that_ended_with_the_account_closes_as_the_account_does() {
    let world = World::start().await;
    let person = world.person("a").await;
    let mut socket = world.log_in(&person).await;
    world.revoke_because(&person, Revocation::Account).await;
    assert_eq!(socket.closed().await.0, 4503);
}

#[tokio::test]
async fn a_socket_ends_with_its_token_unless_a_newer_one_comes() {
    let world = World::start().await;
    let person = world.person("a").await;
    let (mut renewed, mut forgotten) = (world.log_in(&person).await, world.log_in(&person).await);

    world.clock.advance(Duration::from_secs(200));
    let newer = world.token(person.id, person.session, 300);
    let ok = renewed
        .ask(json!({ "type": "reauth", "token": newer }))
        .await;
    assert_eq!(ok["expiresAt"], "2026-03-01T09:08:20.000Z");

    world.clock.advance(Duration::from_secs(101));
    assert_eq!(forgotten.closed().await.0, 4003);
    renewed.nothing_came().await;
}

#[tokio::test]
async fn a_token_of_somebody_else_does_not_turn_one_socket_into_theirs() {
    let world = World::start().await;
    let (person, other) = (world.person("a").await, world.person("b").await);
    let mut client = world.log_in(&person).await;
    let refused = client
        .ask(json!({ "type": "reauth", "token": other.token }))
        .await;
    assert_eq!(refused["code"], "FORBIDDEN");
    let refused = client.ask(json!({ "type": "reauth", "token": "x" })).await;
    assert_eq!(refused["code"], "UNAUTHENTICATED");
    let refused = client
        .ask(json!({ "type": "auth", "token": person.token }))
        .await;
    assert_eq!(refused["code"], "BAD_REQUEST");
    client.nothing_came().await;
}

#[tokio::test]
async fn browsers_come_from_the_exact_origins_only() {
    let world = World::start().await;
    for origin in ["", OWN_ORIGIN, "http://localhost:3000"] {
        let mut client = Client::connect(world.address, "/ws", &[("origin", origin)])
            .await
            .unwrap();
        assert_eq!(client.next().await["type"], "hello", "{origin}");
    }
    for origin in ["http://chat.example.evil", "https://chat.example", "null"] {
        let mut client = Client::connect(world.address, "/ws", &[("origin", origin)])
            .await
            .unwrap();
        assert_eq!(client.closed().await.0, 4507, "{origin}");
    }
}

#[tokio::test]
async fn the_path_of_other_protocols_serves_the_native_one_when_it_is_offered() {
    let world = World::start().await;
    let mut client = Client::connect(world.address, "/ws/chat", &[])
        .await
        .unwrap();
    assert_eq!(client.next().await["type"], "hello");

    let none = [("sec-websocket-protocol", "")];
    let mut client = Client::connect(world.address, "/ws", &none).await.unwrap();
    assert_eq!(client.next().await["type"], "hello");
    client.raw(Message::Close(None)).await;
}
