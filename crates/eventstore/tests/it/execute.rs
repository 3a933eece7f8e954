//! Executing commands.

use std::time::Duration;

use async_nats::HeaderMap;
use doran_eventstore::{CommandContext, ExecuteError, Position};
use futures_util::future::join_all;

use crate::{
    account::{Account, AccountEvent, Command, Refusal},
    fixture::{Fixture, context, rename, run},
};

#[tokio::test]
async fn a_command_is_executed_once_however_often_it_is_sent() {
    let fixture = Fixture::start().await;
    let store = fixture.store();
    let open = || Command::Open { address: "a" };

    let first = run(&store, "1", open(), &context(1)).await.unwrap();
    assert!(!first.replayed);
    assert_eq!(first.events.len(), 2);
    // The claim comes first in the batch.
    assert_eq!(first.position, Position::new("ACCOUNT", 3));

    for store in [store, fixture.store()] {
        let again = run(&store, "1", open(), &context(1)).await.unwrap();
        assert!(again.replayed);
        assert_eq!(again.position, first.position);
        assert_eq!(again.aggregate, first.aggregate);
    }
    assert_eq!(fixture.reader().head().await.unwrap(), 3);
}

#[tokio::test]
async fn a_replayed_command_names_its_own_place_and_the_aggregates_newest_state() {
    let fixture = Fixture::start().await;
    let opened = fixture.open("1", "a").await;
    let store = fixture.store();
    let first = run(&store, "1", rename("one"), &context(1)).await.unwrap();
    let second = run(&store, "1", rename("two"), &context(2)).await.unwrap();

    let again = run(&store, "1", rename("one"), &context(1)).await.unwrap();
    assert_eq!(again.position, first.position);
    assert_eq!(again.sequence, second.sequence);
    assert_eq!(again.aggregate.names, ["one", "two"]);
    assert!(opened.sequence < first.sequence && first.sequence < second.sequence);
}

#[tokio::test]
async fn a_known_command_id_with_another_fingerprint_is_a_mismatch() {
    let fixture = Fixture::start().await;
    fixture.open("1", "a").await;
    let store = fixture.store();
    let with = |fingerprint: &str| CommandContext {
        fingerprint: Some(fingerprint.to_owned()),
        ..context(1)
    };
    run(&store, "1", rename("one"), &with("x")).await.unwrap();

    assert!(
        run(&store, "1", rename("one"), &with("x"))
            .await
            .unwrap()
            .replayed
    );
    let other = run(&fixture.store(), "1", rename("two"), &with("y")).await;
    assert!(matches!(other, Err(ExecuteError::IdempotencyMismatch)));
}

#[tokio::test]
async fn a_refused_command_writes_nothing_and_leaves_the_cached_state_as_it_was() {
    let fixture = Fixture::start().await;
    let opened = fixture.open("1", "a").await;
    let store = fixture.store();
    for attempt in 1..=2 {
        let refused = run(&store, "1", Command::Break, &context(attempt)).await;
        assert!(matches!(refused, Err(ExecuteError::Refused(Refusal::Rule))));
    }
    let loaded = store.load("1").await.unwrap().unwrap();
    assert_eq!(loaded.aggregate, opened.aggregate);
    assert_eq!(fixture.reader().head().await.unwrap(), opened.sequence);
}

#[tokio::test]
async fn a_command_that_changes_nothing_answers_where_the_aggregate_is() {
    let fixture = Fixture::start().await;
    fixture.open("1", "a").await;
    let store = fixture.store();
    let named = run(&store, "1", rename("one"), &context(1)).await.unwrap();
    let again = run(&store, "1", rename("one"), &context(2)).await.unwrap();
    assert_eq!(again.events, []);
    assert!(!again.replayed);
    assert_eq!(again.position, named.position);
}

#[tokio::test]
async fn a_stale_cache_leads_to_no_wrong_refusal() {
    let fixture = Fixture::start().await;
    let stale = fixture.store();
    let missing = run(&stale, "1", rename("one"), &context(1)).await;
    assert!(matches!(
        missing,
        Err(ExecuteError::Refused(Refusal::Missing))
    ));

    fixture.open("1", "a").await;
    let named = run(&stale, "1", rename("one"), &context(2)).await.unwrap();
    run(&fixture.store(), "1", rename("two"), &context(3))
        .await
        .unwrap();

    // To the stale store this changes nothing; to the log it does.
    let back = run(&stale, "1", rename("one"), &context(4)).await.unwrap();
    assert_eq!(back.aggregate.names, ["one", "two", "one"]);
    assert!(back.sequence > named.sequence);
}

#[tokio::test]
async fn sixteen_writers_on_one_aggregate_break_no_chain() {
    let fixture = Fixture::start().await;
    let opened = fixture.open("1", "a").await;
    let stores: Vec<_> = (0..16).map(|_| fixture.store()).collect();
    let contexts: Vec<_> = (0..16).map(context).collect();
    let writers = stores.iter().zip(&contexts);
    let results = join_all(writers.map(async |(store, ctx)| {
        let name = ctx.command_id;
        match run(store, "1", rename(name), ctx).await {
            Ok(outcome) => Some(outcome.aggregate.names.len()),
            Err(ExecuteError::Conflict) => None,
            Err(error) => panic!("{error}"),
        }
    }))
    .await;

    // Whoever was told "done" saw a state that nobody else wrote.
    let mut places: Vec<_> = results.into_iter().flatten().collect();
    places.sort_unstable();
    let expected: Vec<_> = (1..=places.len()).collect();
    assert_eq!(places, expected);
    assert!(places.len() >= 5, "{}", places.len());

    let loaded = fixture.store().load("1").await.unwrap().unwrap();
    assert_eq!(loaded.aggregate.names.len(), places.len());
    assert_eq!(loaded.sequence, opened.sequence + places.len() as u64);
}

#[tokio::test]
async fn writers_in_one_process_wait_for_each_other_and_all_get_through() {
    let fixture = Fixture::start().await;
    fixture.open("1", "a").await;
    let store = fixture.store();
    let contexts: Vec<_> = (0..64).map(context).collect();
    let writing = contexts
        .iter()
        .map(|ctx| run(&store, "1", rename(ctx.command_id), ctx));
    for result in join_all(writing).await {
        result.unwrap();
    }
    assert_eq!(
        store
            .load("1")
            .await
            .unwrap()
            .unwrap()
            .aggregate
            .names
            .len(),
        64
    );
}

#[tokio::test]
async fn of_twenty_who_expect_the_same_last_event_one_wins() {
    let fixture = Fixture::start().await;
    let opened = fixture.open("1", "a").await;
    let expecting = |number| CommandContext {
        expected_sequence: Some(opened.sequence),
        ..context(number)
    };
    let stores: Vec<_> = (0..20).map(|_| fixture.store()).collect();
    let contexts: Vec<_> = (0..20).map(expecting).collect();
    let writers = stores.iter().zip(&contexts);
    let results =
        join_all(writers.map(|(store, ctx)| run(store, "1", rename(ctx.command_id), ctx))).await;

    let winner = opened.sequence + 1;
    let won = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(won, 1);
    for lost in results.into_iter().filter_map(Result::err) {
        assert!(matches!(lost, ExecuteError::PreconditionFailed { actual } if actual == winner));
    }
}

#[tokio::test]
async fn an_expectation_is_compared_with_the_log_and_not_with_the_cache() {
    let fixture = Fixture::start().await;
    let opened = fixture.open("1", "a").await;
    let stale = fixture.store();
    stale.load("1").await.unwrap();
    let newer = run(&fixture.store(), "1", rename("one"), &context(1))
        .await
        .unwrap();

    let outdated = CommandContext {
        expected_sequence: Some(opened.sequence),
        ..context(2)
    };
    let refused = run(&stale, "1", rename("two"), &outdated).await;
    assert!(matches!(
        refused,
        Err(ExecuteError::PreconditionFailed { actual }) if actual == newer.sequence
    ));
    let current = CommandContext {
        expected_sequence: Some(newer.sequence),
        ..context(3)
    };
    stale.load("1").await.unwrap();
    run(&stale, "1", rename("two"), &current).await.unwrap();
}

#[tokio::test]
async fn several_events_of_one_type_are_one_batch() {
    let fixture = Fixture::start().await;
    let opened = fixture.open("1", "a").await;
    let store = fixture.store();
    let twice = Command::RenameTwice("one", "two");
    let outcome = run(&store, "1", twice.clone(), &context(1)).await.unwrap();
    assert_eq!(outcome.sequence, opened.sequence + 2);
    let again = run(&fixture.store(), "1", twice, &context(1))
        .await
        .unwrap();
    assert_eq!((again.replayed, again.position), (true, outcome.position));
}

#[tokio::test]
async fn an_event_carries_its_envelope_and_its_own_json() {
    let fixture = Fixture::start().await;
    fixture.open("1", "a").await;
    let ctx = CommandContext {
        fingerprint: Some("f".to_owned()),
        correlation_id: Some("c".to_owned()),
        traceparent: Some("00-1-2-01".to_owned()),
        ..context(1)
    };
    run(&fixture.store(), "1", rename("한글"), &ctx)
        .await
        .unwrap();

    let event = fixture.reader().last("account.1.*").await.unwrap().unwrap();
    assert_eq!(event.subject, "account.1.Renamed");
    assert_eq!(event.payload, r#"{"name":"한글"}"#.as_bytes());
    let header = |name: &str| event.headers.get(name).map(ToString::to_string);
    let expected = [
        (
            "ce-id",
            doran_eventstore::event_id(ctx.command_id, 0).to_string(),
        ),
        ("ce-type", "Renamed".to_owned()),
        ("ce-source", "tests".to_owned()),
        ("ce-time", "2026-11-23T23:42:49.641780Z".to_owned()),
        ("ce-dataversion", "2".to_owned()),
        ("doran-command-id", ctx.command_id.to_string()),
        ("doran-command-fingerprint", "f".to_owned()),
        ("doran-actor", "tester".to_owned()),
        ("doran-correlation-id", "c".to_owned()),
        ("traceparent", "00-1-2-01".to_owned()),
    ];
    for (name, value) in expected {
        assert_eq!(header(name), Some(value), "{name}");
    }
    assert_eq!(header("doran-causation-id"), None);
    assert_eq!(
        (event.command_id, event.actor.as_deref()),
        (Some(ctx.command_id), Some("tester"))
    );
}

#[tokio::test]
async fn events_of_older_versions_are_part_of_the_state() {
    let fixture = Fixture::start().await;
    fixture.open("1", "a").await;
    let mut headers = HeaderMap::new();
    headers.insert("ce-dataversion", "1");
    let old =
        fixture
            .js
            .publish_with_headers("account.1.Renamed", headers, r#"{"to":"old"}"#.into());
    old.await.unwrap().await.unwrap();
    let loaded = fixture.store().load("1").await.unwrap().unwrap();
    assert_eq!(loaded.aggregate.names, ["old"]);
}

#[tokio::test]
async fn an_aggregate_with_an_event_from_the_future_is_not_decided_on() {
    let fixture = Fixture::start().await;
    fixture.open("1", "a").await;
    let future = fixture.js.publish("account.1.Beamed", "{}".into());
    future.await.unwrap().await.unwrap();
    let result = run(&fixture.store(), "1", rename("one"), &context(1)).await;
    assert!(matches!(result, Err(ExecuteError::Corrupt(_))));
}

#[tokio::test]
async fn an_id_that_reaches_other_subjects_is_rejected() {
    let fixture = Fixture::start().await;
    for id in ["", "*", "1.Opened", ">", "a b"] {
        let result = run(
            &fixture.store(),
            id,
            Command::Open { address: "a" },
            &context(1),
        )
        .await;
        assert!(matches!(result, Err(ExecuteError::Rejected(_))), "{id:?}");
        assert!(fixture.store().load(id).await.unwrap().is_none(), "{id:?}");
    }
    assert_eq!(fixture.reader().head().await.unwrap(), 0);
}

#[tokio::test]
async fn an_event_that_is_too_large_is_rejected_for_good() {
    let fixture = Fixture::start().await;
    fixture.open("1", "a").await;
    let begun = tokio::time::Instant::now();
    let large = rename("x".repeat(2 * 1024 * 1024));
    let result = run(&fixture.store(), "1", large, &context(1)).await;
    assert!(matches!(result, Err(ExecuteError::Rejected(_))));
    assert!(begun.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn an_aggregate_without_events_is_none() {
    let fixture = Fixture::start().await;
    let none: Option<doran_eventstore::Loaded<Account>> = fixture.store().load("1").await.unwrap();
    assert!(none.is_none());
    fixture.open("1", "a").await;
    let welcomed = fixture
        .reader()
        .last("account.1.Welcomed")
        .await
        .unwrap()
        .unwrap();
    let event: AccountEvent = welcomed.decode(&crate::account::SCHEMA).unwrap();
    assert_eq!(event, AccountEvent::Welcomed);
}
