//! What `/metrics` shows is what `doran_platform::telemetry::metric` says, in every role.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use doran_platform::telemetry::metric::{EVERY, Kind, Metric};
use doran_supervisor::workspace;
use serde_json::json;

use crate::{chat::Person, system::System};

fn named(name: &str) -> Option<&'static Metric> {
    EVERY.iter().find(|metric| metric.name == name)
}

/// Every source file of what ships, but the table itself.
fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("tests") {
            sources(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs")
            && !path.ends_with("telemetry/metric.rs")
        {
            found.push(fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_metric_in_the_sources_is_in_the_table_and_the_other_way_round() {
    let mut texts = Vec::new();
    sources(&workspace().join("crates"), &mut texts);
    let text = texts.join("\n");
    let mut used = BTreeSet::new();
    for (kind, is_of) in [
        (
            "counter!(",
            (|kind| kind == Kind::Counter) as fn(Kind) -> bool,
        ),
        ("gauge!(", |kind| kind == Kind::Gauge),
        ("histogram!(", |kind| matches!(kind, Kind::Histogram(_))),
    ] {
        for call in text.split(kind).skip(1) {
            let Some(name) = call.trim_start().strip_prefix('"') else {
                continue;
            };
            let name = name.split('"').next().unwrap();
            let metric = named(name).unwrap_or_else(|| panic!("{name} is not in the table"));
            assert!(is_of(metric.kind), "{name} is a {:?}", metric.kind);
            used.insert(name);
        }
    }
    assert!(used.len() > 20, "{used:?}");
    for metric in EVERY {
        let is_used = text.contains(&format!("\"{}\"", metric.name));
        // Those come from a crate that knows them by Prometheus's names.
        assert!(
            is_used || metric.name.starts_with("process_"),
            "{}",
            metric.name
        );
    }
}

#[test]
fn names_and_texts_keep_the_conventions_of_prometheus() {
    let mut names = BTreeSet::new();
    for Metric {
        name, kind, help, ..
    } in EVERY
    {
        assert!(names.insert(name), "{name} is there twice");
        assert!(
            name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
            "{name}"
        );
        assert_eq!(name.ends_with("_total"), *kind == Kind::Counter, "{name}");
        assert!(help.ends_with('.') && help.len() > 10, "{name}: {help}");
        for part in [
            "_ms", "_millis", "_minutes", "_kb", "_count", "_sum", "_bucket",
        ] {
            assert!(!name.ends_with(part), "{name}");
        }
    }
}

/// Name and kind of everything that a text shows; each must be explained.
fn shown(text: &str) -> BTreeMap<&str, &str> {
    let lines = text.lines();
    let helped: BTreeSet<_> = lines
        .clone()
        .filter_map(|line| line.strip_prefix("# HELP ")?.split_once(' '))
        .map(|(name, _)| name)
        .collect();
    let kinds: BTreeMap<_, _> = lines
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .collect();
    for name in kinds.keys() {
        assert!(helped.contains(name), "{name} has no help");
    }
    kinds
}

async fn metrics(base: &str) -> String {
    let mut texts = Vec::new();
    for path in ["/metrics", "/actuator/prometheus"] {
        let answer = reqwest::get(format!("{base}{path}")).await.unwrap();
        assert_eq!(answer.status(), 200, "{base}{path}");
        texts.push(answer.text().await.unwrap());
    }
    texts.remove(0)
}

#[tokio::test]
async fn every_role_shows_what_the_table_says_and_nothing_else() {
    let system = System::in_separate_processes().await;
    let kim = Person::register(&system, "kim").await;
    let room = kim
        .post("/api/chat/rooms", &json!({ "name": "회의" }))
        .await;
    let messages = format!(
        "/api/chat/rooms/{}/messages",
        room.data["id"].as_str().unwrap()
    );
    let sent = kim.post(&messages, &json!({ "content": "안녕" })).await;
    kim.get(&messages, &sent.position.unwrap()).await;

    let mut everything = BTreeSet::new();
    let processes = system.services.iter().chain([&system.gateway]);
    for process in processes {
        let base = process.base();
        for (path, key) in [
            ("/actuator/health", "components"),
            ("/actuator/info", "app"),
            ("/health/ready", "dependencies"),
            ("/health/live", "status"),
        ] {
            let answer = reqwest::get(format!("{base}{path}")).await.unwrap();
            assert_eq!(answer.status(), 200, "{base}{path}");
            let body: serde_json::Value = answer.json().await.unwrap();
            assert!(body.get(key).is_some(), "{base}{path}: {body}");
        }
        let text = metrics(&base).await;
        for (name, kind) in shown(&text) {
            let metric = named(name).unwrap_or_else(|| panic!("{name} is not in the table"));
            let expected = match metric.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                Kind::Histogram(_) => "histogram",
            };
            assert_eq!(kind, expected, "{name}");
            everything.insert(name.to_owned());
        }
        assert!(text.contains("nats_connected 1"), "{text}");
        assert!(text.contains("process_resident_memory_bytes "), "{text}");
    }
    for promised in [
        "chat_messages_sent_total",
        "chat_message_processing_seconds",
        "projection_lag_seconds",
        "projection_lag_events",
        "gateway_sockets",
        "auth_log_ins_total",
        "http_requests_total",
        "postgres_pool_connections",
    ] {
        assert!(everything.contains(promised), "{promised}: {everything:?}");
    }
}
