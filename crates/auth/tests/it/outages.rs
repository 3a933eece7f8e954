//! Log-in, refresh, log-out and `me` need no PostgreSQL; nothing waits without end for NATS.

use std::time::{Duration, Instant};

use axum::http::Method;
use doran_testkit::TestPostgres;

use crate::world::{EMAIL, World, tokens, until};

#[tokio::test(flavor = "multi_thread")]
async fn people_log_in_and_out_while_postgres_is_away() {
    let postgres = TestPostgres::start().await;
    let world = World::start_on(&postgres).await;
    world.register(EMAIL).await;
    postgres.kill().await;
    let given = world.log_in(EMAIL).await;
    assert_eq!(world.me(&given.access).await.status, 200);
    let given = tokens(&world.try_refresh(&given.refresh).await);
    let sessions = world
        .api
        .get("/api/auth/sessions")
        .bearer(&given.access)
        .send()
        .await;
    assert_eq!(sessions.refusal(), (503, "UNAVAILABLE"));
    assert!(!sessions.header("retry-after").is_empty());
    let log_out = world
        .api
        .call(Method::POST, "/api/auth/logout")
        .bearer(&given.access);
    assert_eq!(log_out.send().await.status, 200);
    world.until_refused(&given.access).await;

    let again = world.log_in(EMAIL).await;
    postgres.resume().await;
    let listed = async || {
        let call = world.api.get("/api/auth/sessions").bearer(&again.access);
        let reply = call.send().await;
        reply.status == 200 && reply.data()["items"].as_array().unwrap().len() == 1
    };
    for _ in 0..10 {
        if listed().await {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("the list of sessions did not catch up");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_nats_is_away_a_log_in_is_refused_in_bounded_time_and_works_again_after() {
    let world = World::start().await;
    let given = world.kim().await;
    world.nats.kill().await;
    let asked = Instant::now();
    let refused = world.try_refresh(&given.refresh).await;
    assert!(matches!(refused.status, 503 | 504), "{}", refused.body);
    let refused = world.try_log_in(EMAIL, crate::world::PASSWORD).await;
    assert!(matches!(refused.status, 503 | 504), "{}", refused.body);
    assert!(
        asked.elapsed() < Duration::from_secs(15),
        "{:?}",
        asked.elapsed()
    );
    world.nats.resume().await;
    until(async || world.try_log_in(EMAIL, crate::world::PASSWORD).await.status == 200).await;
    assert_eq!(world.try_refresh(&given.refresh).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_worth_nothing_once_the_log_was_silent_for_five_seconds() {
    let world = World::start().await;
    let kim = world.kim().await;
    world.nats.kill().await;
    let lost = Instant::now();
    // The list of sessions comes from PostgreSQL, which is well.
    let refused = async || {
        let call = world.api.get("/api/auth/sessions").bearer(&kim.access);
        let reply = call.send().await;
        reply.status == 503 && reply.body["message"].to_string().contains("event log")
    };
    while !refused().await {
        assert!(
            lost.elapsed() < Duration::from_secs(8),
            "it is trusted still"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    world.nats.resume().await;
    for _ in 0..100 {
        if !refused().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it is not trusted again");
}
