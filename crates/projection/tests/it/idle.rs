//! Waiting, and positions of read models that nothing comes for.

use std::time::Duration;

use doran_eventstore::Position;
use doran_projection::{Activity, Tasks, WaitError};
use tokio::time::Instant;

use crate::shop::{PATIENCE, STREAM, Shop, orders, tallies};

#[tokio::test(flavor = "multi_thread")]
async fn a_position_advances_over_events_that_are_filtered_out() {
    let shop = Shop::open().await;
    let running = shop.run([orders(), tallies()]);
    running.reached(shop.place("a", 1).await).await;
    for _ in 0..10 {
        let began = Instant::now();
        let sequence = shop.fill_basket().await;
        running.reached(sequence).await;
        assert!(
            began.elapsed() < Duration::from_millis(500),
            "it took {:?}",
            began.elapsed()
        );
    }
    assert_eq!(shop.stored_position("orders").await, 11);
    running.reached(shop.cancel("a").await).await;
    running
        .until("tallies", |status| {
            status.position == 12 && status.lag_events == 0
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_advances_without_anybody_waiting() {
    let shop = Shop::open().await;
    let running = shop.run([tallies()]);
    let last = shop.cancel("nobody").await;
    running
        .until("tallies", |status| status.position == last)
        .await;
    assert_eq!(running.status_of("tallies").head, last);
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_for_what_does_not_come_ends_in_time() {
    let shop = Shop::open().await;
    let running = shop.run([orders()]);
    running.reached(shop.place("a", 1).await).await;
    let began = Instant::now();
    let wanted = Position::new(STREAM, 1_000_000);
    let late = running
        .positions()
        .wait(std::slice::from_ref(&wanted), Duration::from_millis(300))
        .await;
    let read_model = "orders".to_owned();
    assert_eq!(
        late,
        Err(WaitError {
            read_model,
            reached: 1,
            wanted
        })
    );
    assert!(began.elapsed() < Duration::from_secs(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_no_read_model_reads_are_not_waited_for() {
    let shop = Shop::open().await;
    let service = shop.builder().read_models([orders()]).build().unwrap();
    let elsewhere = Position::new("ELSEWHERE", 7);
    service
        .positions()
        .wait(&[elsewhere], Duration::ZERO)
        .await
        .unwrap();
    let here = Position::new(STREAM, 7);
    assert!(
        service
            .positions()
            .wait(std::slice::from_ref(&here), Duration::ZERO)
            .await
            .is_err()
    );
    service
        .positions()
        .of(&["others"])
        .wait(&[here], Duration::ZERO)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_runs_nothing_learns_the_positions_of_one_that_does() {
    let shop = Shop::open().await;
    let running = shop.run([orders()]);
    running.reached(shop.place("before", 1).await).await;

    let tasks = Tasks::default();
    let observer = shop.builder().read_models([orders()]).build().unwrap();
    observer.observe(&tasks);
    for n in 0..50 {
        let sequence = if n % 2 == 0 {
            shop.place(&format!("n{n}"), n).await
        } else {
            shop.fill_basket().await
        };
        let wanted = [Position::new(STREAM, sequence)];
        observer.positions().wait(&wanted, PATIENCE).await.unwrap();
        let placed: i64 = sqlx::query_scalar("select count(*) from shop.orders")
            .fetch_one(&shop.pool)
            .await
            .unwrap();
        assert_eq!(placed, 2 + n / 2);
    }
    assert_eq!(observer.status()[0].activity, Activity::Idle);
    tasks.cancel.cancel();
}

/// Notices are core NATS and may be lost: then the table tells.
#[tokio::test(flavor = "multi_thread")]
async fn positions_are_found_without_notices() {
    let shop = Shop::open().await;
    let running = shop.run([orders()]);
    running.reached(shop.place("a", 1).await).await;
    running.stop().await;
    let tasks = Tasks::default();
    let observer = shop.builder().read_models([orders()]).build().unwrap();
    observer.observe(&tasks);
    observer
        .positions()
        .wait(&[Position::new(STREAM, 1)], PATIENCE)
        .await
        .unwrap();
    tasks.cancel.cancel();
}
