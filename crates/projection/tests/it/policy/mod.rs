//! Policies against a real server.

mod world;

use std::{collections::BTreeMap, sync::atomic::Ordering};

use doran_projection::policy::{self, Declaration, OperateError, Start};

use self::world::{SHIP, World, Wrong, until};

const SECOND_VERSION: Declaration = Declaration { version: 2, ..SHIP };

/// Once each, and those of one order in the order of its events.
fn assert_once_and_in_order(mut shipped: Vec<(String, u64)>, expected: &[(String, u64)]) {
    let mut by_order: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for (order, sequence) in &shipped {
        by_order.entry(order).or_default().push(*sequence);
    }
    for (order, sequences) in by_order {
        assert!(sequences.is_sorted(), "{order}: {sequences:?}");
    }
    shipped.sort_by_key(|(_, sequence)| *sequence);
    assert_eq!(shipped, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_dies_between_command_and_acknowledgement_does_nothing_twice() {
    let world = World::open().await;
    drop(world.start(SHIP).await);
    let mut expected = Vec::new();
    for n in 0..24 {
        let order = format!("o{}", n % 8);
        expected.push((order.clone(), world.place(&order).await));
    }
    let mut deaths = 0;
    for life in 0..30 {
        let process = world.start_mortal(1 + life % 3).await;
        tokio::select! {
            () = process.until_dead() => deaths += 1,
            () = world.until_done(&SHIP) => {}
        }
    }
    assert!(deaths >= 8, "{deaths}");
    let survivor = world.start(SHIP).await;
    world.until_done(&SHIP).await;
    assert_once_and_in_order(world.shipped().await, &expected);
    drop(survivor);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_share_the_work_and_keep_the_order_of_each_aggregate() {
    let world = World::open().await;
    let (one, other) = (world.start(SHIP).await, world.start(SHIP).await);
    let mut expected = Vec::new();
    for n in 0..200 {
        let order = format!("o{}", n % 20);
        let sequence = if n < 20 {
            world.place(&order).await
        } else {
            world.amend(&order).await
        };
        expected.push((order, sequence));
    }
    world.until_shipped(expected.len()).await;
    world.until_done(&SHIP).await;
    assert_once_and_in_order(world.shipped().await, &expected);
    for process in [one, other] {
        assert!(process.handled.load(Ordering::SeqCst) > 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poisoned_event_parks_its_aggregate_in_order_and_the_others_flow() {
    let world = World::open().await;
    let process = world.start(SHIP).await;
    world.trouble.lock().unwrap().push(("bad", Wrong::ForEver));
    let poisoned = world.place("bad").await;
    let good = world.place("good").await;
    let behind = world.amend("bad").await;
    let after = world.place("later").await;
    world.until_done(&SHIP).await;
    let flowed = vec![("good".to_owned(), good), ("later".to_owned(), after)];
    assert_once_and_in_order(world.shipped().await, &flowed);

    let parked = policy::parked(&world.js, &SHIP).await.unwrap();
    assert_eq!(parked.len(), 1);
    assert_eq!(parked[0].aggregate, "order.bad");
    assert_eq!(
        (parked[0].sequence, parked[0].event_type.as_str()),
        (poisoned, "OrderPlaced")
    );
    assert!(
        parked[0].reason.contains("it is cursed"),
        "{}",
        parked[0].reason
    );
    process
        .until(|health| health.as_ref().is_err_and(|why| why.contains("parked")))
        .await;

    // Before the mend it comes to be parked again.
    policy::retry(&world.js, &SHIP, "order.bad").await.unwrap();
    until(async || policy::parked(&world.js, &SHIP).await.unwrap().len() == 1).await;

    world.trouble.lock().unwrap().clear();
    policy::retry(&world.js, &SHIP, "order.bad").await.unwrap();
    world.until_shipped(4).await;
    process.until(Result::is_ok).await;
    let all = [poisoned, good, behind, after];
    let orders = ["bad", "good", "bad", "later"].map(str::to_owned);
    let expected: Vec<_> = orders.into_iter().zip(all).collect();
    assert_once_and_in_order(world.shipped().await, &expected);
    let again = policy::retry(&world.js, &SHIP, "order.bad").await;
    assert!(matches!(again, Err(OperateError::NotParked)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_parked_while_no_process_ran_goes_on_when_it_is_let_go() {
    let world = World::open().await;
    let process = world.start(SHIP).await;
    world.trouble.lock().unwrap().push(("bad", Wrong::ForEver));
    let poisoned = world.place("bad").await;
    until(async || policy::parked(&world.js, &SHIP).await.unwrap().len() == 1).await;
    drop(process);
    world.trouble.lock().unwrap().clear();
    policy::retry(&world.js, &SHIP, "order.bad").await.unwrap();
    let _process = world.start(SHIP).await;
    world.until_shipped(1).await;
    assert_eq!(world.shipped().await, [("bad".to_owned(), poisoned)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_away_for_a_moment_is_tried_again_and_for_long_is_parked() {
    let world = World::open().await;
    let _process = world.start(SHIP).await;
    world.trouble.lock().unwrap().push(("slow", Wrong::ForNow));
    let slow = world.place("slow").await;
    until(async || {
        let report = policy::report(&world.js, &SHIP).await.unwrap();
        report.under_way == 1
    })
    .await;
    world.trouble.lock().unwrap().clear();
    world.until_done(&SHIP).await;
    assert_eq!(world.shipped().await, [("slow".to_owned(), slow)]);

    world.trouble.lock().unwrap().push(("gone", Wrong::ForNow));
    world.place("gone").await;
    until(async || policy::parked(&world.js, &SHIP).await.unwrap().len() == 1).await;
    let report = policy::report(&world.js, &SHIP).await.unwrap();
    assert_eq!(
        (report.parked, report.consumer.as_str()),
        (1, "ship-orders-v1")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_and_returns_delays_and_loses_nothing() {
    let world = World::open().await;
    let _process = world.start(SHIP).await;
    let before = world.place("before").await;
    world.nats.restart().await;
    let mut expected = vec![("before".to_owned(), before)];
    for n in 0..10 {
        let order = format!("o{n}");
        expected.push((order.clone(), world.place(&order).await));
    }
    world.until_shipped(expected.len()).await;
    world.until_done(&SHIP).await;
    assert_once_and_in_order(world.shipped().await, &expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_begins_with_what_comes_after_its_first_start() {
    let world = World::open().await;
    world.place("before").await;
    let _process = world.start(SHIP).await;
    let after = world.place("after").await;
    world.until_shipped(1).await;
    world.until_done(&SHIP).await;
    assert_eq!(world.shipped().await, [("after".to_owned(), after)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_goes_on_where_the_old_one_stood_and_removes_it() {
    let world = World::open().await;
    let first = world.start(SHIP).await;
    let early = world.place("early").await;
    world.until_shipped(1).await;
    world.until_done(&SHIP).await;
    drop(first);
    let meanwhile = world.place("meanwhile").await;
    let _second = world.start(SECOND_VERSION).await;
    world.until_shipped(2).await;
    let expected = [
        ("early".to_owned(), early),
        ("meanwhile".to_owned(), meanwhile),
    ];
    assert_eq!(world.shipped().await, expected);
    let old = policy::report(&world.js, &SHIP).await;
    assert!(matches!(old, Err(OperateError::NotThere)));

    let outdated = world.spawn(SHIP, None).await;
    outdated
        .until(|health| health.as_ref().is_err_and(|why| why.contains("version 2")))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_begins_with_everything_does_not_repeat_what_was_done() {
    let world = World::open().await;
    let before = world.place("before").await;
    let first = world.start(SHIP).await;
    let early = world.place("early").await;
    world.until_shipped(1).await;
    world.until_done(&SHIP).await;
    drop(first);
    let from_the_start = Declaration {
        start: Start::All,
        ..SECOND_VERSION
    };
    let _second = world.start(from_the_start).await;
    world.until_shipped(2).await;
    world.until_done(&from_the_start).await;
    let expected = [("early".to_owned(), early), ("before".to_owned(), before)];
    assert_eq!(world.shipped().await, expected);
}
