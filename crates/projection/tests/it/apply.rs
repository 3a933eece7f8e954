//! Events become rows, in whatever batches they come.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use doran_eventstore::{Position, Recorded};
use doran_projection::{Enrich, EnrichError};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::shop::{
    PATIENCE, Running, STREAM, Shop, create_tables, orders, orders_with, row, tallies,
};

#[tokio::test(flavor = "multi_thread")]
async fn events_become_rows() {
    let shop = Shop::open().await;
    let running = shop.run([orders(), tallies()]);
    let first = shop.place("a", 10).await;
    let second = shop.place("b", 20).await;
    let amended = shop.amend("a", 15).await;
    let cancelled = shop.cancel("b").await;
    running.reached(cancelled).await;
    assert_eq!((first, second), (1, 2));
    assert_eq!(
        shop.orders().await,
        [
            row("a", 15, "placed", amended),
            row("b", 20, "cancelled", cancelled)
        ]
    );
    assert_eq!(
        shop.tallies().await,
        [("a".to_owned(), 2), ("b".to_owned(), 1)]
    );
    let placed_by: Vec<String> = sqlx::query_scalar("select distinct placed_by from shop.orders")
        .fetch_all(&shop.pool)
        .await
        .unwrap();
    assert_eq!(placed_by, ["clerk"]);
    let (updated_at, event_id): (chrono::DateTime<chrono::Utc>, Option<uuid::Uuid>) = sqlx::query_as(
        "select updated_at, last_event_id from shop.projection_position where read_model = 'orders'",
    )
    .fetch_one(&shop.pool)
    .await
    .unwrap();
    assert_eq!(updated_at.timestamp(), 1_750_000_000);
    assert!(event_id.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lone_event_is_visible_within_milliseconds() {
    let shop = Shop::open().await;
    let running = shop.run([orders()]);
    running.reached(shop.place("warm-up", 1).await).await;
    let mut times = Vec::new();
    for n in 0..20 {
        let sequence = shop.place(&format!("n{n}"), n).await;
        let began = Instant::now();
        running.reached(sequence).await;
        times.push(began.elapsed());
    }
    times.sort();
    assert!(
        times[10] < Duration::from_millis(15),
        "median {:?} of {times:?}",
        times[10]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_of_any_size_give_the_same_rows() {
    let shop = Shop::open().await;
    let mut last = 0;
    for n in 0..120 {
        let order = format!("o{}", n % 17);
        last = match n % 4 {
            0 => shop.place(&order, n).await,
            1 | 2 => shop.amend(&order, n).await,
            _ if n % 3 == 0 => shop.cancel(&order).await,
            _ => shop.amend(&order, 2 * n).await,
        };
    }
    let mut all = Vec::new();
    for (schema, size) in [("ones", 1), ("threes", 3), ("many", 1000)] {
        create_tables(&shop.pool, schema).await;
        let builder = doran_projection::Service::builder(
            schema,
            shop.pool.clone(),
            shop.js.clone(),
            crate::shop::clock(),
        )
        .events(crate::shop::EVENTS)
        .read_models([orders()])
        .batch_size(size);
        Running::new(builder).reached(last).await;
        all.push(shop.orders_in(schema).await);
    }
    assert!(all[0].len() > 5);
    assert_eq!(all[0], all[1]);
    assert_eq!(all[0], all[2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn older_versions_are_raised_and_unknown_types_passed_over() {
    let shop = Shop::open().await;
    let running = shop.run([orders()]);
    shop.place("a", 10).await;
    let amended = shop
        .append(
            "OrderAmended",
            1,
            "a",
            json!({"orderId": "a", "cents": 700}),
        )
        .await;
    let unknown = shop
        .append("OrderGiftWrapped", 9, "a", json!({"paper": "blue"}))
        .await;
    running.reached(unknown).await;
    assert_eq!(shop.orders().await, [row("a", 7, "placed", amended)]);
}

struct Double;

#[async_trait]
impl Enrich for Double {
    async fn enrich(
        &self,
        _event: &Recorded,
        body: &str,
    ) -> Result<Map<String, Value>, EnrichError> {
        let body: Value = serde_json::from_str(body).unwrap();
        let amount = body["amount"].as_i64();
        let amount = amount.ok_or_else(|| EnrichError::Permanent("no amount".into()))?;
        let doubled = ("amount".to_owned(), json!(2 * amount));
        Ok([doubled].into_iter().collect())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enriched_read_model_sees_the_added_fields() {
    let shop = Shop::open().await;
    let toml = include_str!("shop/orders.toml").to_owned() + "enrich = true\n";
    let builder = shop
        .builder()
        .read_models([orders_with("projection.toml", &toml)]);
    let running = Running::new(builder.enrich("orders", Arc::new(Double)));
    let first = shop.place("a", 21).await;
    let last = shop.cancel("a").await;
    running.reached(last).await;
    assert_eq!(shop.orders().await, [row("a", 42, "placed", first)]);
    let parked = running.service.parked().await.unwrap();
    assert_eq!(parked[0].reason, "the event cannot be enriched: no amount");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_is_seen_by_the_read_that_waits_for_it() {
    let shop = Shop::open().await;
    let running = shop.run([orders(), tallies()]);
    let positions = running.positions();
    for n in 0..200 {
        let order = format!("order{n}");
        let sequence = shop.place(&order, n).await;
        positions
            .wait(&[Position::new(STREAM, sequence)], PATIENCE)
            .await
            .unwrap();
        let amount: Option<i64> =
            sqlx::query_scalar("select amount from shop.orders where order_id = $1")
                .bind(&order)
                .fetch_optional(&shop.pool)
                .await
                .unwrap();
        assert_eq!(amount, Some(n));
    }
}

/// Away for the first three questions.
#[derive(Default)]
struct LateDouble(AtomicU32);

#[async_trait]
impl Enrich for LateDouble {
    async fn enrich(
        &self,
        event: &Recorded,
        body: &str,
    ) -> Result<Map<String, Value>, EnrichError> {
        if self.0.fetch_add(1, Ordering::Relaxed) < 3 {
            return Err(EnrichError::Unavailable("not yet".into()));
        }
        Double.enrich(event, body).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn enriching_that_is_unavailable_is_waited_for() {
    let shop = Shop::open().await;
    let toml = include_str!("shop/orders.toml").to_owned() + "enrich = true\n";
    let builder = shop
        .builder()
        .read_models([orders_with("projection.toml", &toml)]);
    let running = Running::new(builder.enrich("orders", Arc::new(LateDouble::default())));
    let sequence = shop.place("a", 21).await;
    running.reached(sequence).await;
    assert_eq!(shop.orders().await, [row("a", 42, "placed", sequence)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_planner_learns_of_many_rows_before_autovacuum_looks() {
    let shop = Shop::open().await;
    let running = shop.run([orders()]);
    let rows = async || -> f32 {
        sqlx::query_scalar("select reltuples from pg_class where oid = 'shop.orders'::regclass")
            .fetch_one(&shop.pool)
            .await
            .unwrap()
    };
    running.reached(shop.place("first", 1).await).await;
    assert!(rows().await <= 0.0, "somebody looked already");
    let mut last = 0;
    for n in 0..1_100 {
        last = shop.place(&format!("n{n}"), n).await;
    }
    running.reached(last).await;
    // What is due is done with the batch after which the thousandth event is applied.
    running.reached(shop.place("last", 1).await).await;
    assert!(rows().await >= 900.0, "{}", rows().await);
}
