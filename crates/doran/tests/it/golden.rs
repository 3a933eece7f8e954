//! Golden examples of every version of every event go through the whole system.

use std::{fs, path::PathBuf};

use async_nats::HeaderMap;
use doran_contract::subject;
use doran_eventstore::envelope;
use serde_json::Value;

use crate::system::System;

/// Stream, event type, version and body of every example.
fn examples() -> Vec<(String, String, String, Value)> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../streams/golden");
    let mut examples = Vec::new();
    for stream in fs::read_dir(root).unwrap() {
        let stream = stream.unwrap();
        for file in fs::read_dir(stream.path()).unwrap() {
            let path = file.unwrap().path();
            let stem = path.file_stem().unwrap().to_str().unwrap();
            let (event_type, version) = stem.split_once(".v").unwrap();
            let body = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            let stream = stream.file_name().into_string().unwrap();
            examples.push((stream, event_type.to_owned(), version.to_owned(), body));
        }
    }
    examples.sort_by(|a, b| (&a.0, &a.1, &a.2).cmp(&(&b.0, &b.1, &b.2)));
    examples
}

fn subject_of(stream: &str, event_type: &str, body: &Value) -> String {
    let id = |field: &str| body[field].as_str().unwrap();
    match stream {
        "USER" => subject::user(id("userId").parse().unwrap(), event_type),
        "CHATROOM" => subject::room(id("roomId").parse().unwrap(), event_type),
        "MESSAGE" => subject::message(id("roomId").parse().unwrap(), event_type),
        "BOT" => format!("bot.{}.{event_type}", id("botId")),
        "SESSION" => subject::session(id("sessionId").parse().unwrap(), event_type),
        "STORE" if event_type.starts_with("Bookmark") => {
            subject::bookmark(id("userId").parse().unwrap(), event_type)
        }
        "STORE" => subject::file(id("fileId").parse().unwrap(), event_type),
        "JOB" => subject::job(id("job"), event_type),
        other => panic!("no subject is known for {other}"),
    }
}

#[tokio::test]
async fn every_read_model_takes_every_version_of_every_event() {
    let system = System::in_one_process().await;
    let examples = examples();
    assert!(examples.len() >= 13);
    for (stream, event_type, version, body) in examples {
        let mut headers = HeaderMap::new();
        headers.insert(envelope::EVENT_TYPE, event_type.as_str());
        headers.insert(envelope::VERSION, version.as_str());
        let subject = subject_of(&stream, &event_type, &body);
        system.append(subject, headers, body.to_string()).await;
    }
    let mut status = Vec::new();
    for _ in 0..100 {
        status = system
            .run(&["projections", "status", "--json"])
            .await
            .json();
        if status.iter().all(|row| row["state"] == "upToDate") {
            break;
        }
    }
    assert!(status.len() >= 9, "{status:?}");
    for row in &status {
        assert_eq!(
            (&row["state"], &row["parked"]),
            (&"upToDate".into(), &0.into()),
            "{row}"
        );
    }
    for table in [
        "user_schema.users",
        "chat.rooms",
        "chat.messages",
        "auth.sessions",
        "store.bookmarks",
        "store.files",
        "store.messages",
    ] {
        assert_eq!(system.count(table).await, 1, "{table}");
    }
    let verified = system.run(&["projections", "verify", "chat"]).await;
    assert_eq!(verified.code, 0, "{verified:?}");
}
