//! Frames that do not fit, and sockets that misbehave.

use std::time::Duration;

use doran_gateway::Timing;
use tokio_tungstenite::tungstenite::Message;

use crate::world::{Setup, World};

#[tokio::test]
async fn the_fifth_malformed_frame_ends_the_socket() {
    let world = World::start().await;
    let mut client = world.log_in(&world.person("a").await).await;
    for text in [
        "nonsense",
        r#"{"id":9,"type":"dance"}"#,
        r#"{"id":9,"type":"subscribe","roomId":"x"}"#,
        "[]",
        r#"{"id":9}"#,
    ] {
        client.raw(Message::text(text)).await;
        let answer = client.next().await;
        assert_eq!(answer["code"], "BAD_REQUEST", "{text}");
    }
    assert_eq!(client.closed().await.0, 4500);
}

#[tokio::test]
async fn a_binary_frame_ends_the_socket() {
    let world = World::start().await;
    let mut client = world.log_in(&world.person("a").await).await;
    client.raw(Message::binary(vec![1, 2, 3])).await;
    assert_eq!(client.closed().await.0, 4500);
    let mut unknown = world.connect().await;
    unknown.raw(Message::binary(vec![1, 2, 3])).await;
    assert_eq!(unknown.closed().await.0, 4500);
}

#[tokio::test]
async fn a_frame_that_is_too_large_ends_the_socket_and_says_so() {
    let world = World::start().await;
    let person = world.person("a").await;
    let largest =
        |bytes: usize| format!(r#"{{"type":"x","id":1,"x":"{}"}}"#, "x".repeat(bytes - 26));
    assert_eq!(largest(64 * 1024).len(), 64 * 1024);
    let mut client = world.log_in(&person).await;
    client.raw(Message::text(largest(64 * 1024))).await;
    assert_eq!(client.next().await["code"], "BAD_REQUEST");

    for bytes in [64 * 1024 + 1, 300_000, 3_000_000] {
        let mut client = world.log_in(&person).await;
        client.raw(Message::text(largest(bytes))).await;
        assert_eq!(client.closed().await.0, 4505, "{bytes}");
    }
    let mut unknown = world.connect().await;
    unknown.raw(Message::text(largest(100_000))).await;
    assert_eq!(unknown.closed().await.0, 4505);
}

#[tokio::test]
async fn a_socket_that_is_quiet_is_pinged_and_lives_while_it_answers() {
    let timing = Timing {
        ping: Duration::from_millis(600),
        ..Timing::default()
    };
    let world = World::with(Setup {
        timing,
        ..Setup::default()
    })
    .await;
    let person = world.person("a").await;
    let (mut answers, quiet) = (world.log_in(&person).await, world.log_in(&person).await);
    // The client library answers pings while it reads; a socket that nobody reads does not.
    let closed = tokio::time::timeout(Duration::from_millis(2500), answers.closed()).await;
    assert!(
        closed.is_err(),
        "a socket that answered pings was closed: {closed:?}"
    );
    answers.nothing_came().await;
    let mut quiet = quiet;
    assert_eq!(quiet.closed().await.0, 4002);
}

#[tokio::test]
async fn on_shutdown_sockets_are_told_to_come_back() {
    let world = World::start().await;
    let mut logged_in = world.log_in(&world.person("a").await).await;
    let mut unknown = world.connect().await;
    unknown.next().await;
    world.platform.lifecycle.stopping().cancel();
    for client in [&mut logged_in, &mut unknown] {
        let (code, after_ms) = client.closed().await;
        assert_eq!(code, 4001);
        assert!(after_ms > 0);
    }
    let stopped = tokio::time::timeout(Duration::from_secs(4), world.platform.lifecycle.stop());
    stopped.await.expect("nothing holds up the shutdown");
}
