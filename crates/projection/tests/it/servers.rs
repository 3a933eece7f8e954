//! Servers that go away and come back.

use std::time::Duration;

use doran_eventstore::Position;
use doran_projection::Activity;
use doran_testkit::TestPostgres;

use crate::shop::{PATIENCE, STREAM, Shop, orders, tallies};

#[tokio::test(flavor = "multi_thread")]
async fn the_database_is_killed_and_comes_back() {
    let postgres = TestPostgres::start().await;
    let shop = Shop::open_on(postgres.pool()).await;
    let running = shop.run([orders(), tallies()]);
    running.reached(shop.place("a", 1).await).await;

    postgres.kill().await;
    // Its backends outlive it by a moment, in which they still commit.
    let has_noticed =
        |status: &doran_projection::Status| matches!(status.activity, Activity::Retrying { .. });
    for read_model in ["orders", "tallies"] {
        running.until(read_model, has_noticed).await;
    }
    let meanwhile = shop.place("a2", 2).await;
    let wanted = [Position::new(STREAM, meanwhile)];
    let late = running
        .positions()
        .wait(&wanted, Duration::from_millis(300))
        .await;
    assert!(late.is_err());
    let is_retrying = |status: &doran_projection::Status| {
        matches!(status.activity, Activity::Retrying { .. }) && status.lag_events > 0
    };
    running.until("orders", is_retrying).await;

    postgres.resume().await;
    running.positions().wait(&wanted, PATIENCE).await.unwrap();
    let events: i64 = sqlx::query_scalar("select sum(events)::bigint from shop.tallies")
        .fetch_one(&shop.pool)
        .await
        .unwrap();
    assert_eq!(events, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_that_is_started_while_the_database_is_away_begins_when_it_is_back() {
    let postgres = TestPostgres::start().await;
    let shop = Shop::open_on(postgres.pool()).await;
    postgres.stop().await;
    let running = shop.run([orders()]);
    let last = shop.place("a", 1).await;
    running
        .until("orders", |status| {
            matches!(status.activity, Activity::Retrying { .. })
        })
        .await;
    postgres.resume().await;
    running.reached(last).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_is_killed_and_comes_back() {
    let shop = Shop::open().await;
    let running = shop.run([orders(), tallies()]);
    for n in 0..20 {
        shop.place(&format!("o{n}"), n).await;
    }
    running.reached(20).await;
    shop.nats.restart().await;
    let mut last = 0;
    for n in 0..20 {
        last = shop.place(&format!("p{n}"), n).await;
    }
    running.reached(last).await;
    assert_eq!(shop.tallies().await.len(), 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_the_database_cuts_are_made_again() {
    let shop = Shop::open().await;
    let running = shop.run([orders(), tallies()]);
    running.reached(shop.place("a", 1).await).await;
    for n in 0..5 {
        shop.execute("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'")
            .await;
        running.reached(shop.place("a", n).await).await;
    }
    assert_eq!(shop.tallies().await, [("a".to_owned(), 6)]);
}
