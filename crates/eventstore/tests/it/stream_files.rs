//! The stream files of this repository.

use std::{fs, path::Path};

use async_nats::jetstream::stream::{DiscardPolicy, RetentionPolicy, StorageType};
use doran_eventstore::topology::{Applied, ApplyOptions, CheckOptions, Durability, Topology};
use doran_testkit::TestNats;
use uuid::Uuid;

fn project_files() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../streams");
    ["", "lanes", "kv", "objects"]
        .iter()
        .flat_map(|sub| fs::read_dir(folder.join(sub)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| (path.display().to_string(), fs::read(&path).unwrap()))
        .collect()
}

fn project() -> Topology {
    Topology::parse(project_files()).unwrap()
}

#[test]
fn every_file_is_named_after_its_stream_and_loses_no_key() {
    let topology = project();
    assert!(topology.streams.len() >= 13);
    for file in &topology.streams {
        let stem = Path::new(&file.path).file_stem().unwrap();
        assert_eq!(stem, file.name());
    }
}

#[test]
fn nothing_is_ever_dropped_to_make_room() {
    for file in &project().streams {
        let config = &file.config;
        // Work to be done, made again from JOB, which the server takes in no other form; and a
        // convenience, which must not fill the disk.
        if ["SCHEDULE", "KV_ANSWER"].contains(&config.name.as_str()) {
            continue;
        }
        assert_eq!(config.discard, DiscardPolicy::New, "{}", file.path);
        assert_eq!(config.retention, RetentionPolicy::Limits, "{}", file.path);
        assert_eq!(config.storage, StorageType::File, "{}", file.path);
        assert!(config.allow_direct, "{}", file.path);
        assert!(
            !config.deny_delete,
            "{}: this could never be taken back",
            file.path
        );
        let is_bucket = ["KV_", "OBJ_"]
            .iter()
            .any(|kind| config.name.starts_with(kind));
        assert_eq!(config.deny_purge, !is_bucket, "{}", file.path);
        // None of these holds a fact that somebody may ask for later.
        let short_lived = [
            "SESSION",
            "BOT_CALL",
            "KV_LOGIN_ATTEMPT",
            "KV_PASSWORD_RESET",
            "KV_WS_TICKET",
        ];
        let is_bounded_by_age = short_lived.contains(&config.name.as_str());
        assert_eq!(
            !config.max_age.is_zero(),
            is_bounded_by_age,
            "{}",
            file.path
        );
    }
}

#[test]
fn a_lane_sources_one_type_of_event_and_owns_no_subject() {
    let topology = project();
    let lanes: Vec<_> = topology
        .streams
        .iter()
        .filter(|file| file.config.sources.is_some())
        .collect();
    assert!(lanes.len() >= 5);
    for lane in lanes {
        let sources = lane.config.sources.as_ref().unwrap();
        let filter = sources.first().unwrap().filter_subject.as_ref().unwrap();
        assert_eq!(
            filter.rsplit('.').next(),
            Some(lane.name()),
            "{}",
            lane.path
        );
        assert!(lane.config.subjects.is_empty(), "{}", lane.path);
        assert!(lane.config.mirror.is_none(), "{}", lane.path);
    }
}

#[tokio::test]
async fn a_server_takes_every_file_as_it_is() {
    let nats = TestNats::start().await;
    let js = nats.jetstream().await;
    let topology = project();
    let options = ApplyOptions {
        replicas: None,
        incarnation: Uuid::from_u128(1),
    };
    let applied = topology.apply(&js, options).await.unwrap();
    assert!(
        applied
            .iter()
            .all(|applied| matches!(applied, Applied::Created { .. }))
    );
    assert_eq!(topology.diff(&js, None).await.unwrap(), []);
    let again = topology.apply(&js, options).await.unwrap();
    assert!(
        again
            .iter()
            .all(|applied| matches!(applied, Applied::Unchanged { .. }))
    );
    let durability = topology.check(&js, CheckOptions::default()).await.unwrap();
    assert_eq!(durability, Durability::Fsync);
    for bucket in [
        "ANSWER",
        "SNAPSHOT",
        "CREDENTIAL",
        "DATA_KEY",
        "JWKS",
        "LOGIN_ATTEMPT",
        "PASSWORD_RESET",
        "POLICY",
        "WS_TICKET",
    ] {
        let bucket = js.get_key_value(bucket).await.unwrap();
        bucket.put("key", "value".into()).await.unwrap();
        assert_eq!(bucket.get("key").await.unwrap().unwrap(), "value");
        bucket.purge("key").await.unwrap();
        assert_eq!(bucket.get("key").await.unwrap(), None);
    }
}
