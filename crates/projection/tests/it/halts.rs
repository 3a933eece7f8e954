//! When going on would give wrong rows, the read model stands still, says why, and the others go
//! on.

use std::time::Duration;

use doran_eventstore::Position;
use doran_projection::{Activity, Halt, Tasks};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::shop::{PATIENCE, Running, STREAM, Shop, orders, orders_with, row, tallies};

#[tokio::test(flavor = "multi_thread")]
async fn another_incarnation_of_the_log_halts() {
    let shop = Shop::open().await;
    let running = shop.run([orders()]);
    running.reached(shop.place("a", 1).await).await;
    running.stop().await;
    shop.delete_stream().await;
    shop.create_stream("second").await;
    shop.place("b", 1).await;

    let running = shop.run([orders()]);
    let status = running
        .until("orders", |status| status.halted().is_some())
        .await;
    let (stored, found) = ("first".to_owned(), "second".to_owned());
    assert_eq!(
        status.halted(),
        Some(&Halt::OtherIncarnation { stored, found })
    );
    assert_eq!(shop.orders().await, [row("a", 1, "placed", 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_made_anew_under_a_running_reader_halts() {
    let shop = Shop::open().await;
    let running = shop.run([orders()]);
    running.reached(shop.place("a", 1).await).await;
    shop.delete_stream().await;
    shop.create_stream("second").await;
    shop.place("b", 1).await;
    shop.place("c", 1).await;
    running
        .until("orders", |status| status.halted().is_some())
        .await;
    assert_eq!(shop.orders().await, [row("a", 1, "placed", 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_shorter_than_the_position_halts() {
    let shop = Shop::open().await;
    let running = shop.run([orders()]);
    shop.place("a", 1).await;
    running.reached(shop.place("b", 1).await).await;
    running.stop().await;
    shop.delete_stream().await;
    shop.create_stream("first").await;
    shop.place("a", 1).await;

    let running = shop.run([orders()]);
    let status = running
        .until("orders", |status| status.halted().is_some())
        .await;
    assert_eq!(
        status.halted(),
        Some(&Halt::LogTooShort {
            position: 2,
            head: 1
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_event_at_the_position_halts() {
    let shop = Shop::open().await;
    let running = shop.run([orders()]);
    running.reached(shop.place("a", 1).await).await;
    running.stop().await;
    shop.delete_stream().await;
    shop.create_stream("first").await;
    shop.place("z", 1).await;
    shop.place("y", 1).await;

    let running = shop.run([orders()]);
    let status = running
        .until("orders", |status| status.halted().is_some())
        .await;
    assert!(matches!(
        status.halted(),
        Some(Halt::OtherEvent { position: 1, .. })
    ));
    assert_eq!(shop.orders().await.len(), 1);
}

/// Also at a position that was only skipped to.
#[tokio::test(flavor = "multi_thread")]
async fn another_event_at_an_idle_position_halts() {
    let shop = Shop::open().await;
    let running = shop.run([orders()]);
    running
        .until("orders", doran_projection::Status::is_leader)
        .await;
    running.reached(shop.fill_basket().await).await;
    running.stop().await;
    shop.delete_stream().await;
    shop.create_stream("first").await;
    shop.fill_basket().await;
    let running = shop.run([orders()]);
    let status = running
        .until("orders", |status| status.halted().is_some())
        .await;
    assert!(matches!(
        status.halted(),
        Some(Halt::OtherEvent { position: 1, .. })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_version_halts_one_read_model_after_what_came_before_it() {
    let shop = Shop::open().await;
    shop.place("a", 1).await;
    shop.append("OrderCancelled", 7, "a", json!({"orderId": "a"}))
        .await;
    let last = shop.place("b", 2).await;
    let running = shop.run([orders(), tallies()]);
    let status = running
        .until("orders", |status| status.halted().is_some())
        .await;
    let event_type = "OrderCancelled".to_owned();
    assert_eq!(
        status.activity,
        Activity::Halted(Halt::UnknownVersion {
            sequence: 2,
            event_type,
            version: 7
        })
    );
    assert_eq!(shop.orders().await, [row("a", 1, "placed", 1)]);
    let others = running
        .until("tallies", |status| status.position == last)
        .await;
    assert!(others.is_leader());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_does_not_fit_the_tables_halts_and_parks_nothing() {
    let shop = Shop::open().await;
    let sql = "update no_such_table set x = 1 from jsonb_to_recordset($1) as e(id text)";
    let running = shop.run([orders_with("OrderCancelled.sql", sql)]);
    shop.place("a", 1).await;
    shop.cancel("a").await;
    let status = running
        .until("orders", |status| status.halted().is_some())
        .await;
    let halt = status.halted().unwrap().to_string();
    assert!(
        halt.starts_with("orders/OrderCancelled.sql does not run"),
        "{halt}"
    );
    assert!(running.service.parked().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_another_version_halt() {
    let shop = Shop::open().await;
    let running = shop.run([orders()]);
    running.reached(shop.place("a", 1).await).await;
    running.stop().await;
    let toml = include_str!("shop/orders.toml").replace("version = 1", "version = 2");
    let running = Running::new(
        shop.builder()
            .read_models([orders_with("projection.toml", &toml)]),
    );
    let status = running
        .until("orders", |status| status.halted().is_some())
        .await;
    assert_eq!(
        status.halted(),
        Some(&Halt::OtherVersion {
            stored: 1,
            wanted: 2
        })
    );
    let deadline = Instant::now() + PATIENCE;
    while noted(&shop).await.is_empty() {
        assert!(Instant::now() < deadline, "it is not written down");
        sleep(Duration::from_millis(20)).await;
    }
    let reason = "the tables were built by version 1, the files are version 2: rebuild";
    assert_eq!(noted(&shop).await, [("orders".into(), reason.into())]);
    running.stop().await;
    let running = shop.run([orders()]);
    running.reached(shop.place("b", 1).await).await;
    assert_eq!(noted(&shop).await, []);
}

/// What tools are told of read models that stand still.
async fn noted(shop: &Shop) -> Vec<(String, String)> {
    sqlx::query_as("select read_model, reason from shop.projection_halted")
        .fetch_all(&shop.pool)
        .await
        .unwrap()
}

/// Neither a process that only watches nor one that halts takes the old positions for new ones.
#[tokio::test(flavor = "multi_thread")]
async fn positions_in_another_log_do_not_count() {
    let shop = Shop::open().await;
    let running = shop.run([orders()]);
    let tasks = Tasks::default();
    let watching = shop.builder().read_models([orders()]).build().unwrap();
    watching.observe(&tasks);
    running.reached(shop.place("a", 1).await).await;
    running.reached(shop.place("b", 1).await).await;
    let wanted = [Position::new(STREAM, 1)];
    watching.positions().wait(&wanted, PATIENCE).await.unwrap();

    shop.delete_stream().await;
    shop.create_stream("second").await;
    shop.place("c", 1).await;
    running
        .until("orders", |status| status.halted().is_some())
        .await;
    let within = Duration::from_millis(200);
    assert!(running.positions().wait(&wanted, within).await.is_err());
    let deadline = Instant::now() + PATIENCE;
    while watching.positions().wait(&wanted, within).await.is_ok() {
        assert!(Instant::now() < deadline, "it did not notice");
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(watching.status()[0].position, 0);
    tasks.cancel.cancel();
}
