//! Snapshots of aggregates that are slow to load.

use std::time::Duration;

use doran_eventstore::{JetStreamStore, LogReader, SnapshotPolicy};
use serde_json::{Value, json};

use crate::{
    account::Account,
    fixture::{Fixture, context, rename, run},
};

/// A store that writes a snapshot after loading three events.
fn eager(fixture: &Fixture) -> JetStreamStore<Account> {
    let policy = SnapshotPolicy {
        after_events: 3,
        after: Duration::MAX,
    };
    JetStreamStore::with_snapshot_policy(fixture.js.clone(), policy)
}

async fn snapshot(fixture: &Fixture) -> Option<Value> {
    let bucket = LogReader::new(fixture.js.clone(), "KV_SNAPSHOT");
    let stored = bucket.last("$KV.SNAPSHOT.account.1").await.unwrap();
    stored.map(|stored| serde_json::from_slice(&stored.payload).unwrap())
}

async fn overwrite(fixture: &Fixture, change: impl FnOnce(&mut Value)) {
    let mut changed = snapshot(fixture).await.unwrap();
    change(&mut changed);
    let sent = fixture
        .js
        .publish("$KV.SNAPSHOT.account.1", changed.to_string().into());
    sent.await.unwrap().await.unwrap();
}

/// An account with three names and a snapshot.
async fn with_snapshot() -> Fixture {
    let fixture = Fixture::start().await;
    fixture.open("1", "a").await;
    for number in 1..=3 {
        run(&fixture.store(), "1", rename(number), &context(number))
            .await
            .unwrap();
    }
    assert_eq!(snapshot(&fixture).await, None);
    eager(&fixture).load("1").await.unwrap();
    assert!(snapshot(&fixture).await.is_some());
    fixture
}

/// Makes the snapshot say something that no event says, to see whether it is used.
async fn mark(fixture: &Fixture) {
    overwrite(fixture, |snapshot| {
        snapshot["aggregate"]["names"] = json!(["marked"]);
    })
    .await;
}

async fn names(fixture: &Fixture) -> Vec<String> {
    fixture
        .store()
        .load("1")
        .await
        .unwrap()
        .unwrap()
        .aggregate
        .names
}

#[tokio::test]
async fn a_snapshot_and_the_events_after_it_are_the_aggregate() {
    let fixture = with_snapshot().await;
    let warm = fixture.store();
    run(&warm, "1", rename("four"), &context(4)).await.unwrap();
    assert_eq!(names(&fixture).await, ["1", "2", "3", "four"]);
    mark(&fixture).await;
    assert_eq!(names(&fixture).await, ["marked", "four"]);
}

#[tokio::test]
async fn a_snapshot_knows_the_last_commands() {
    let fixture = with_snapshot().await;
    mark(&fixture).await;
    let again = run(&fixture.store(), "1", rename(2), &context(2))
        .await
        .unwrap();
    assert!(again.replayed);
    assert_eq!(again.aggregate.names, ["marked"]);
}

#[tokio::test]
async fn a_snapshot_of_another_state_version_or_log_is_ignored() {
    for (key, value) in [
        ("stateVersion", json!(2)),
        ("lastEvent", json!("00000000-0000-0000-0000-000000000009")),
        ("sequence", json!(1000)),
        ("aggregate", json!("nonsense")),
    ] {
        let fixture = with_snapshot().await;
        mark(&fixture).await;
        overwrite(&fixture, |snapshot| snapshot[key] = value.clone()).await;
        assert_eq!(names(&fixture).await, ["1", "2", "3"], "{key}");
    }
}

#[tokio::test]
async fn no_command_fails_for_lack_of_the_bucket() {
    let fixture = with_snapshot().await;
    fixture.js.delete_stream("KV_SNAPSHOT").await.unwrap();
    let renamed = run(&eager(&fixture), "1", rename("four"), &context(4))
        .await
        .unwrap();
    assert_eq!(renamed.aggregate.names.len(), 4);
}
