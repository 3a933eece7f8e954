//! Comparing, applying and checking streams.

use std::slice;

use doran_eventstore::{
    LogReader,
    topology::{
        Applied, ApplyOptions, CheckOptions, Difference, Durability, Topology, TopologyError,
    },
};
use doran_testkit::{NatsUser, Sync, TestNats};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fixture::{Fixture, account_stream, topology};

fn options(incarnation: u128) -> ApplyOptions {
    ApplyOptions {
        replicas: None,
        incarnation: Uuid::from_u128(incarnation),
    }
}

fn only(file: &Value) -> Topology {
    Topology::parse([("ACCOUNT.json", file.to_string())]).unwrap()
}

#[tokio::test]
async fn a_fresh_server_lacks_everything_and_one_that_was_applied_nothing() {
    let nats = TestNats::start().await;
    let js = nats.jetstream().await;
    let missing = topology().diff(&js, None).await.unwrap();
    let names: Vec<_> = missing.iter().map(ToString::to_string).collect();
    assert_eq!(
        names,
        [
            "stream ACCOUNT is missing",
            "stream KV_SNAPSHOT is missing",
            "stream Renamed is missing"
        ]
    );
    topology().apply(&js, options(1)).await.unwrap();
    assert_eq!(topology().diff(&js, None).await.unwrap(), []);
}

#[tokio::test]
async fn a_changed_file_is_a_named_difference_until_it_is_applied() {
    let fixture = Fixture::start().await;
    let mut file = account_stream();
    file["max_msg_size"] = json!(1000);
    let changed = only(&file);
    let expected = Difference::Field {
        stream: "ACCOUNT".to_owned(),
        field: "max_msg_size".to_owned(),
        file: json!(1000),
        live: json!(-1),
    };
    assert_eq!(
        changed.diff(&fixture.js, None).await.unwrap(),
        slice::from_ref(&expected)
    );
    let refused = changed
        .check(&fixture.js, CheckOptions::default())
        .await
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        "stream ACCOUNT: `max_msg_size` is -1, its file says 1000: run `doran streams apply`"
    );

    let applied = changed.apply(&fixture.js, options(2)).await.unwrap();
    let updated = Applied::Updated {
        stream: "ACCOUNT".to_owned(),
        differences: vec![expected],
    };
    assert_eq!(applied, [updated]);
    changed
        .check(&fixture.js, CheckOptions::default())
        .await
        .unwrap();
}

#[tokio::test]
async fn an_update_keeps_the_incarnation_and_a_new_creation_makes_another() {
    let fixture = Fixture::start().await;
    let mut file = account_stream();
    file["description"] = json!("changed");
    only(&file).apply(&fixture.js, options(2)).await.unwrap();
    let first = Uuid::from_u128(1).to_string();
    assert_eq!(fixture.reader().incarnation().await.unwrap(), Some(first));

    fixture.js.delete_stream("ACCOUNT").await.unwrap();
    only(&file).apply(&fixture.js, options(3)).await.unwrap();
    let third = Uuid::from_u128(3).to_string();
    assert_eq!(fixture.reader().incarnation().await.unwrap(), Some(third));
}

#[tokio::test]
async fn a_stream_made_by_hand_gets_its_incarnation_when_it_is_applied() {
    let nats = TestNats::start().await;
    let js = nats.jetstream().await;
    let topology = only(&account_stream());
    let config = topology.streams.first().unwrap().config.clone();
    js.create_stream(config).await.unwrap();
    let nameless = Difference::NoIncarnation {
        stream: "ACCOUNT".to_owned(),
    };
    assert_eq!(topology.diff(&js, None).await.unwrap(), [nameless]);
    topology.apply(&js, options(1)).await.unwrap();
    assert_eq!(topology.diff(&js, None).await.unwrap(), []);
    let reader = LogReader::new(js, "ACCOUNT");
    assert!(reader.incarnation().await.unwrap().is_some());
}

#[tokio::test]
async fn what_the_server_does_not_take_is_refused_with_the_streams_name() {
    let nats = TestNats::start().await;
    let js = nats.jetstream().await;
    let three = ApplyOptions {
        replicas: Some(3),
        ..options(1)
    };
    let refused = topology().apply(&js, three).await.unwrap_err();
    assert!(matches!(refused, TopologyError::Refused { stream, .. } if stream == "ACCOUNT"));
}

#[tokio::test]
async fn a_server_that_acknowledges_before_fsync_is_refused_by_the_name_of_the_setting() {
    let nats = TestNats::start_with(Sync::Sometimes).await;
    let js = nats.jetstream().await;
    topology().apply(&js, options(1)).await.unwrap();
    let refused = topology()
        .check(&js, CheckOptions::default())
        .await
        .unwrap_err();
    assert!(matches!(refused, TopologyError::Unsynced { .. }));
    let text = refused.to_string();
    assert!(text.contains("jetstream.sync_interval is "), "{text}");
    assert!(
        text.contains("set `sync_interval: always` in its nats.conf"),
        "{text}"
    );

    let allowed = CheckOptions {
        replicas: None,
        allow_unsynced: true,
    };
    let durability = topology().check(&js, allowed).await.unwrap();
    assert_eq!(
        (durability, durability.to_string().as_str()),
        (Durability::Memory, "memory")
    );
}

#[tokio::test]
async fn every_service_may_read_what_the_check_needs() {
    let fixture = Fixture::start().await;
    for user in [
        NatsUser::Auth,
        NatsUser::User,
        NatsUser::Chat,
        NatsUser::Gateway,
    ] {
        let js = async_nats::jetstream::new(fixture.nats.client_of(user).await);
        let durability = topology().check(&js, CheckOptions::default()).await;
        assert!(
            matches!(durability, Ok(Durability::Fsync)),
            "{user:?} {durability:?}"
        );
    }
    let observer = async_nats::jetstream::new(fixture.nats.client_of(NatsUser::Observer).await);
    let unknown = topology().check(&observer, CheckOptions::default()).await;
    assert!(
        matches!(unknown, Err(TopologyError::SyncIntervalUnknown(_))),
        "{unknown:?}"
    );
}
