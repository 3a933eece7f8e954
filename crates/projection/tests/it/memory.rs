//! Folds in memory.

use std::{collections::HashMap, time::Duration};

use async_nats::connection::State;
use chrono::TimeDelta;
use doran_eventstore::Recorded;
use doran_projection::{
    Tasks,
    memory::{Fold, FoldError, MemoryModel, Start, StartError},
};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::shop::{EVENTS, PATIENCE, STREAM, Shop};

#[derive(Default)]
struct Amounts(HashMap<String, i64>);

impl Fold for Amounts {
    fn apply(&mut self, event: &Recorded) -> Result<(), FoldError> {
        let body = event.body(&EVENTS)?;
        let order = body["orderId"].as_str().unwrap_or_default().to_owned();
        match event.event_type.as_str() {
            "OrderCancelled" => {
                self.0.remove(&order);
            }
            _ => {
                self.0
                    .insert(order, body["amount"].as_i64().unwrap_or_default());
            }
        }
        Ok(())
    }
}

async fn start(shop: &Shop, start: Start) -> MemoryModel<Amounts> {
    let filters = ["order.*.*"];
    MemoryModel::start(
        shop.js.clone(),
        STREAM,
        &filters,
        start,
        Amounts::default(),
        Tasks::default(),
    )
    .await
    .unwrap()
}

fn amount(model: &MemoryModel<Amounts>, order: &str) -> Option<i64> {
    model.read(|amounts| amounts.0.get(order).copied())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_started_model_holds_what_the_log_held() {
    let shop = Shop::open().await;
    shop.place_many(1000).await;
    let last = shop.fill_basket().await;
    let model = start(&shop, Start::First).await;
    assert!(model.is_ready());
    assert_eq!(model.position(), last);
    assert_eq!(model.read(|amounts| amounts.0.len()), 1000);
    assert_eq!(amount(&model, "o999"), Some(999));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_of_an_empty_log_is_ready_at_once() {
    let shop = Shop::open().await;
    let began = Instant::now();
    let model = start(&shop, Start::First).await;
    assert!(began.elapsed() < Duration::from_secs(1));
    assert_eq!(model.position(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn catching_up_waits_for_the_last_event_that_fits() {
    let shop = Shop::open().await;
    let model = start(&shop, Start::First).await;
    for n in 0..100 {
        shop.amend("a", n).await;
        model.catch_up("order.a.*", PATIENCE).await.unwrap();
        assert_eq!(amount(&model, "a"), Some(n));
    }
    model
        .catch_up("order.never.*", Duration::from_millis(200))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_passes_events_that_are_filtered_out_and_ends_in_time() {
    let shop = Shop::open().await;
    let model = start(&shop, Start::First).await;
    let sequence = shop.fill_basket().await;
    model.wait_for(sequence, PATIENCE).await.unwrap();
    let late = model
        .wait_for(sequence + 1, Duration::from_millis(100))
        .await
        .unwrap_err();
    assert_eq!((late.reached, late.wanted), (sequence, sequence + 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn subscribers_see_an_event_after_it_was_folded() {
    let shop = Shop::open().await;
    shop.place("before", 1).await;
    let model = start(&shop, Start::First).await;
    let mut changes = model.subscribe();
    for n in 0..20 {
        shop.amend("a", n).await;
        let change = changes.recv().await.unwrap();
        assert_eq!(change.event_type, "OrderAmended");
        assert_eq!(amount(&model, "a"), Some(n));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn folding_from_a_time_skips_what_is_older() {
    let shop = Shop::open().await;
    let old = shop.place("old", 1).await;
    let after_old = Start::At(shop.stored_at(old).await + TimeDelta::nanoseconds(1));
    let model = start(&shop, after_old).await;
    assert_eq!(model.position(), old);
    let new = shop.place("new", 2).await;
    for model in [model, start(&shop, after_old).await] {
        model.wait_for(new, PATIENCE).await.unwrap();
        assert_eq!(
            (amount(&model, "old"), amount(&model, "new")),
            (None, Some(2))
        );
    }
    let model = start(&shop, Start::At(shop.stored_at(old).await)).await;
    assert_eq!(amount(&model, "old"), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_types_are_passed_over_and_unknown_versions_make_it_ill() {
    let shop = Shop::open().await;
    let model = start(&shop, Start::First).await;
    let unknown = shop.append("OrderGiftWrapped", 1, "a", json!({})).await;
    model.wait_for(unknown, PATIENCE).await.unwrap();
    model.health().unwrap();
    shop.append("OrderPlaced", 5, "a", json!({"orderId": "a"}))
        .await;
    let last = shop.place("b", 2).await;
    model.wait_for(last, PATIENCE).await.unwrap();
    assert!(
        model
            .health()
            .unwrap_err()
            .reason
            .contains("version 5 of OrderPlaced")
    );
    assert_eq!(amount(&model, "b"), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn contact_ends_with_the_server_and_comes_back_with_it() {
    let shop = Shop::open().await;
    let model = start(&shop, Start::First).await;
    shop.nats.kill().await;
    sleep(Duration::from_millis(2500)).await;
    assert!(model.last_contact().elapsed() > Duration::from_millis(1200));
    shop.nats.resume().await;
    // What is published before the client is back waits for an answer that never comes.
    while shop.js.client().connection_state() != State::Connected {
        sleep(Duration::from_millis(20)).await;
    }
    let last = shop.place("a", 1).await;
    model.wait_for(last, PATIENCE).await.unwrap();
    assert!(model.last_contact().elapsed() < Duration::from_millis(1500));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_made_anew_makes_it_ill() {
    let shop = Shop::open().await;
    let model = start(&shop, Start::First).await;
    model
        .wait_for(shop.place("a", 1).await, PATIENCE)
        .await
        .unwrap();
    shop.delete_stream().await;
    shop.create_stream("second").await;
    shop.place("b", 1).await;
    let deadline = Instant::now() + PATIENCE;
    while model.health().is_ok() {
        assert!(Instant::now() < deadline, "it did not notice");
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(amount(&model, "b"), None);
}

#[tokio::test(start_paused = true)]
async fn starting_without_a_stream_fails_after_ten_seconds_without_progress() {
    // No server listens: the client connects when there is one.
    let client = async_nats::ConnectOptions::new()
        .retry_on_initial_connect()
        .connect("127.0.0.1:9")
        .await
        .unwrap();
    let js = async_nats::jetstream::new(client);
    let started = MemoryModel::start(
        js,
        STREAM,
        &[],
        Start::First,
        Amounts::default(),
        Tasks::default(),
    )
    .await;
    assert!(matches!(
        started,
        Err(StartError::Stalled { position: 0, .. })
    ));
}
