//! A nats-server with the streams of these tests.

use std::{fmt::Display, time::Duration};

use async_nats::jetstream;
use chrono::DateTime;
use doran_eventstore::{
    CommandContext, JetStreamStore, LogReader, Outcome, SnapshotPolicy,
    topology::{ApplyOptions, Topology},
};
use doran_testkit::TestNats;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::account::{Account, Command, Refusal};

pub(crate) type ExecuteError = doran_eventstore::ExecuteError<Refusal>;

pub(crate) struct Fixture {
    pub(crate) nats: TestNats,
    pub(crate) js: jetstream::Context,
}

impl Fixture {
    pub(crate) async fn start() -> Self {
        let nats = TestNats::start().await;
        let js = nats.jetstream().await;
        let options = ApplyOptions {
            replicas: None,
            incarnation: Uuid::from_u128(1),
        };
        topology().apply(&js, options).await.unwrap();
        Self { nats, js }
    }

    /// A store with an empty cache, as another process would have it. It writes no snapshots.
    pub(crate) fn store(&self) -> JetStreamStore<Account> {
        let never = SnapshotPolicy {
            after_events: usize::MAX,
            after: Duration::MAX,
        };
        JetStreamStore::with_snapshot_policy(self.js.clone(), never)
    }

    pub(crate) fn reader(&self) -> LogReader {
        LogReader::new(self.js.clone(), "ACCOUNT")
    }

    /// An account with one address.
    pub(crate) async fn open(&self, id: &str, address: &'static str) -> Outcome<Account> {
        let ctx = CommandContext {
            command_id: Uuid::new_v5(&Uuid::NAMESPACE_OID, id.as_bytes()),
            ..context(0)
        };
        let store = self.store();
        run(&store, id, Command::Open { address }, &ctx)
            .await
            .unwrap()
    }
}

pub(crate) async fn run(
    store: &JetStreamStore<Account>,
    id: &str,
    command: Command,
    ctx: &CommandContext,
) -> Result<Outcome<Account>, ExecuteError> {
    store.execute(&(), id, command, ctx).await
}

pub(crate) fn context(command: u128) -> CommandContext {
    CommandContext {
        command_id: Uuid::from_u128(command),
        time: DateTime::from_timestamp_nanos(1_795_477_369_641_780_861),
        actor: Some("tester".to_owned()),
        fingerprint: None,
        expected_sequence: None,
        correlation_id: None,
        causation_id: None,
        traceparent: None,
        source: "tests",
    }
}

pub(crate) fn rename(name: impl Display) -> Command {
    Command::Rename(format!("{name}"))
}

pub(crate) fn topology() -> Topology {
    let files = [
        ("ACCOUNT.json", account_stream()),
        ("KV_SNAPSHOT.json", snapshot_bucket()),
        ("lanes/Renamed.json", renamed_lane()),
    ];
    Topology::parse(files.map(|(name, file)| (name, file.to_string()))).unwrap()
}

pub(crate) fn account_stream() -> Value {
    json!({
        "name": "ACCOUNT",
        "subjects": ["account.*.*", "claim.*.*"],
        "retention": "limits",
        "storage": "file",
        "num_replicas": 1,
        "discard": "new",
        "max_msgs": -1,
        "duplicate_window": 120_000_000_000_u64,
        "allow_direct": true,
        "allow_atomic": true,
        "deny_purge": true,
        "compression": "s2",
        "republish": { "src": "account.>", "dest": "live.account.>" },
    })
}

fn snapshot_bucket() -> Value {
    json!({
        "name": "KV_SNAPSHOT",
        "subjects": ["$KV.SNAPSHOT.>"],
        "retention": "limits",
        "storage": "file",
        "num_replicas": 1,
        "discard": "new",
        "max_msgs_per_subject": 1,
        "duplicate_window": 120_000_000_000_u64,
        "allow_direct": true,
        "allow_rollup_hdrs": true,
    })
}

fn renamed_lane() -> Value {
    json!({
        "name": "Renamed",
        "sources": [{ "name": "ACCOUNT", "filter_subject": "account.*.Renamed" }],
        "retention": "limits",
        "storage": "file",
        "num_replicas": 1,
        "discard": "new",
        "duplicate_window": 120_000_000_000_u64,
        "allow_direct": true,
    })
}

/// Waits until a condition holds, and fails after ten seconds.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, condition: impl Fn() -> F) {
    let waiting = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(10), waiting).await;
    assert!(waited.is_ok(), "{what}");
}
