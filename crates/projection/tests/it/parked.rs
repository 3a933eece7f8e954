//! An event that cannot be applied holds up its own aggregate and nothing else.

use doran_projection::{Retried, RetryError};
use serde_json::json;

use crate::shop::{Shop, orders, orders_with, row, tallies};

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_event_parks_its_aggregate_in_order_and_lets_the_rest_flow() {
    let shop = Shop::open().await;
    let mut last = 0;
    for n in 0..40 {
        last = shop.place(&format!("good{n:02}"), n).await;
    }
    let bad = shop.place("bad", -1).await;
    shop.amend("bad", 3).await;
    let good = shop.amend("good00", 99).await;
    let running = shop.run([orders()]);
    running.reached(good).await;
    let later = shop.cancel("bad").await;
    running.reached(later).await;

    let rows = shop.orders().await;
    assert_eq!(rows.len(), 40);
    assert_eq!(rows[0], row("good00", 99, "placed", good));
    assert!(last < bad);
    let parked = running.service.parked().await.unwrap();
    assert_eq!(parked.len(), 1);
    assert_eq!(parked[0].aggregate, "order.bad");
    assert_eq!((parked[0].events, parked[0].sequence), (3, bad));
    assert!(
        parked[0].reason.contains("orders_amount_check"),
        "{}",
        parked[0].reason
    );
    assert_eq!(running.status_of("orders").parked, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_no_json_object_is_parked() {
    let shop = Shop::open().await;
    let running = shop.run([orders()]);
    for (n, body) in [
        "",
        "nonsense",
        "[]",
        "{\"orderId\":\"\\u0000\",\"amount\":1}",
    ]
    .iter()
    .enumerate()
    {
        let subject = format!("order.bad{n}.OrderPlaced");
        shop.publish(&subject, "OrderPlaced", 1, (*body).into())
            .await;
    }
    let good = shop.place("good", 1).await;
    running.reached(good).await;
    assert_eq!(shop.orders().await, [row("good", 1, "placed", good)]);
    assert_eq!(running.service.parked().await.unwrap().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn parked_events_are_applied_in_order_once_the_cause_is_mended() {
    let shop = Shop::open().await;
    let running = shop.run([orders()]);
    shop.place("bad", -5).await;
    let amended = shop.amend("bad", 8).await;
    running.reached(amended).await;

    let retried = running
        .service
        .retry_parked("orders", "order.bad")
        .await
        .unwrap();
    assert_eq!(retried.applied, 0);
    assert!(retried.stopped_by.unwrap().contains("orders_amount_check"));
    assert_eq!(running.service.parked().await.unwrap()[0].events, 2);

    shop.execute("alter table shop.orders drop constraint orders_amount_check")
        .await;
    let retried = running
        .service
        .retry_parked("orders", "order.bad")
        .await
        .unwrap();
    assert_eq!(
        retried,
        Retried {
            applied: 2,
            stopped_by: None
        }
    );
    assert_eq!(shop.orders().await, [row("bad", 8, "placed", amended)]);

    // The runner notices that the aggregate is free again.
    let cancelled = shop.cancel("bad").await;
    running.reached(cancelled).await;
    assert_eq!(shop.orders().await, [row("bad", 8, "cancelled", cancelled)]);
    assert!(running.service.parked().await.unwrap().is_empty());
    assert_eq!(running.status_of("orders").parked, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn retries_beside_a_busy_runner_lose_and_swap_nothing() {
    let shop = Shop::open().await;
    let running = shop.run([orders()]);
    running.reached(shop.place("bad", -5).await).await;
    shop.execute("alter table shop.orders drop constraint orders_amount_check")
        .await;
    let appending = async {
        let mut last = 0;
        for n in 0..150 {
            last = shop.amend("bad", n).await;
        }
        last
    };
    let retrying = async {
        for _ in 0..10 {
            running
                .service
                .retry_parked("orders", "order.bad")
                .await
                .unwrap();
        }
    };
    let (last, ()) = tokio::join!(appending, retrying);
    running.reached(last).await;
    running
        .service
        .retry_parked("orders", "order.bad")
        .await
        .unwrap();
    assert_eq!(shop.orders().await, [row("bad", 149, "placed", last)]);
    assert!(running.service.parked().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn retries_at_the_same_time_apply_each_event_once() {
    let shop = Shop::open().await;
    shop.execute("alter table shop.tallies add constraint no_bad check (order_id <> 'bad')")
        .await;
    let running = shop.run([tallies()]);
    for n in 0..30 {
        shop.amend("bad", n).await;
    }
    running.reached(30).await;
    shop.execute("alter table shop.tallies drop constraint no_bad")
        .await;
    let retry = || running.service.retry_parked("tallies", "order.bad");
    let retried = tokio::try_join!(retry(), retry(), retry(), retry()).unwrap();
    let applied = retried.0.applied + retried.1.applied + retried.2.applied + retried.3.applied;
    assert_eq!(applied, 30);
    assert_eq!(shop.tallies().await, [("bad".to_owned(), 30)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn parked_aggregates_stay_parked_under_the_next_leader() {
    let shop = Shop::open().await;
    let running = shop.run([orders()]);
    running.reached(shop.place("bad", -5).await).await;
    running.stop().await;
    let amended = shop.amend("bad", 5).await;
    let running = shop.run([orders()]);
    running.reached(amended).await;
    assert_eq!(running.service.parked().await.unwrap()[0].events, 2);
    let unknown = running.service.retry_parked("no_such", "order.bad").await;
    assert!(matches!(unknown, Err(RetryError::UnknownReadModel(_))));
}

/// The statement fails for a batch, but for no single event: nothing is parked.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_cannot_take_a_key_twice_is_given_smaller_batches() {
    let shop = Shop::open().await;
    let sql = "insert into orders (order_id, amount, status, sequence)
        select e.\"orderId\", e.amount, 'placed', e.sequence
        from jsonb_to_recordset($1) as e(\"orderId\" text, amount bigint, sequence bigint)
        on conflict (order_id) do update set amount = excluded.amount, sequence = excluded.sequence";
    for n in 0..10 {
        shop.append("OrderPlaced", 1, "a", json!({"orderId": "a", "amount": n}))
            .await;
    }
    let running = shop.run([orders_with("OrderPlaced.sql", sql)]);
    running.reached(10).await;
    assert_eq!(shop.orders().await, [row("a", 9, "placed", 10)]);
    assert!(running.service.parked().await.unwrap().is_empty());
}
