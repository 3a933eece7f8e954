//! The store behind the trait of `cqrs-es`.

use std::collections::HashMap;

use cqrs_es::{AggregateContext, AggregateError, EventStore};

use crate::{account::AccountEvent, fixture::Fixture};

fn metadata() -> HashMap<String, String> {
    HashMap::from([
        (
            "doran-command-id".to_owned(),
            "00000000-0000-0000-0000-000000000001".to_owned(),
        ),
        ("ce-time".to_owned(), "2026-11-23T23:42:49Z".to_owned()),
    ])
}

fn renamed(name: &str) -> AccountEvent {
    AccountEvent::Renamed {
        name: name.to_owned(),
    }
}

#[tokio::test]
async fn what_is_committed_is_loaded_again() {
    let fixture = Fixture::start().await;
    fixture.open("1", "a").await;
    let store = fixture.store();
    let context = store.load_aggregate("1").await.unwrap();
    let committed = store.commit(vec![renamed("one"), renamed("two")], context, metadata());
    let sequences: Vec<_> = committed
        .await
        .unwrap()
        .iter()
        .map(|e| e.sequence)
        .collect();
    assert_eq!(sequences, [4, 5]);

    let events = store.load_events("1").await.unwrap();
    let payloads: Vec<_> = events.iter().map(|event| event.payload.clone()).collect();
    let opened = AccountEvent::Opened {
        address: "a".to_owned(),
    };
    assert_eq!(
        payloads,
        [
            opened,
            AccountEvent::Welcomed,
            renamed("one"),
            renamed("two")
        ]
    );
    let mut loaded = store.load_aggregate("1").await.unwrap();
    assert_eq!(loaded.aggregate().names, ["one", "two"]);
}

#[tokio::test]
async fn a_context_that_is_not_the_newest_is_a_conflict() {
    let fixture = Fixture::start().await;
    fixture.open("1", "a").await;
    let store = fixture.store();
    let old = store.load_aggregate("1").await.unwrap();
    let newer = store.load_aggregate("1").await.unwrap();
    store
        .commit(vec![renamed("one")], newer, metadata())
        .await
        .unwrap();
    let result = store.commit(vec![renamed("two")], old, metadata()).await;
    assert!(matches!(result, Err(AggregateError::AggregateConflict)));
}

#[tokio::test]
async fn a_commit_without_command_id_or_time_is_an_error() {
    let fixture = Fixture::start().await;
    fixture.open("1", "a").await;
    let store = fixture.store();
    for key in ["doran-command-id", "ce-time"] {
        let context = store.load_aggregate("1").await.unwrap();
        let mut metadata = metadata();
        metadata.remove(key);
        let result = store.commit(vec![renamed("one")], context, metadata).await;
        assert!(
            matches!(result, Err(AggregateError::UnexpectedError(_))),
            "{key}"
        );
    }
}
