//! `docs/events.md`: every event, who writes it, who reads it, and what of it is sealed.
//!
//! `UPDATE_SCHEMAS=1 cargo test -p doran catalogue` writes it.

use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use doran_projection::policy::Declaration;
use serde_json::Value;

const POLICIES: [Declaration; 8] = [
    doran_auth::END_WITH_ACCOUNT,
    doran_chat::CALL_BOTS,
    doran_chat::FOLLOW_OWNER,
    doran_chat::LET_DELETED_GO,
    doran_chat::NOTE_ERASED,
    doran_store::DELETE_BYTES,
    doran_store::LET_BELONGINGS_GO,
    doran_user::ERASE_DELETED,
];
/// Only these may publish to the stream, says `nats.conf`.
const PRODUCERS: [(&str, &str); 7] = [
    ("USER", "user"),
    ("CHATROOM", "chat"),
    ("MESSAGE", "chat"),
    ("SESSION", "auth"),
    ("STORE", "store"),
    ("JOB", "batch"),
    ("BOT", "chat"),
];
/// What somebody decided, which the service asks its own aggregate for.
const READ_BY_ITS_AGGREGATE: [&str; 1] = ["JobScheduleChanged"];
const HEAD: &str = "\
# Events

Made from the types, the read models and the policies; a test keeps it true.
What an event holds in full: `streams/schemas/`, one example each: `streams/golden/`, all of it for programs: `docs/api/asyncapi.json`.
A sealed field opens only with the data key of the person named in it.
*Code* is what reads the event in memory, beside the producer's own aggregate.
";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every file below a folder, by its path from the top.
fn files(folder: &str) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(root()).unwrap().display().to_string();
                found.push((name, path));
            }
        }
    }
    found.sort();
    found
}

/// What an event's line says.
struct Entry {
    stream: String,
    event_type: String,
    version: String,
    sealed: Vec<String>,
    doc: String,
}

fn events() -> Vec<Entry> {
    let document = read(&root().join("docs/api/asyncapi.json"));
    let document: Value = serde_json::from_str(&document).unwrap();
    let schemas = &document["components"]["schemas"];
    let messages: BTreeMap<String, Value> =
        serde_json::from_value(document["components"]["messages"].clone()).unwrap();
    // Others are frames of the sockets.
    let stored = messages
        .into_iter()
        .filter(|(_, message)| message.get("x-stream").is_some());
    let mut events: Vec<_> = stored
        .map(|(event_type, message)| Entry {
            stream: message["x-stream"].as_str().unwrap().to_owned(),
            version: message["x-version"].to_string(),
            sealed: serde_json::from_value(message["x-sealed"].clone()).unwrap(),
            doc: schemas[&event_type]["description"]
                .as_str()
                .unwrap_or_default()
                .replace("\n\n", " ")
                .replace('\n', " "),
            event_type,
        })
        .collect();
    let order = |stream: &str| PRODUCERS.iter().position(|(name, _)| *name == stream);
    events.sort_by_key(|event| (order(&event.stream), event.event_type.clone()));
    events
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Folders of `projections/` with a statement for the event.
fn read_models(event_type: &str, projections: &[(String, PathBuf)]) -> Vec<String> {
    let statement = format!("/{event_type}.sql");
    let folders = projections.iter().filter_map(|(name, _)| {
        let folder = name.strip_suffix(&statement)?;
        Some(folder.strip_prefix("projections/")?.to_owned())
    });
    folders.collect()
}

fn policies(event_type: &str) -> Vec<String> {
    let of_it = POLICIES.iter().filter(|policy| {
        let last = |filter: &str| filter.rsplit('.').next() == Some(event_type);
        policy.filters.iter().any(|filter| last(filter))
    });
    of_it.map(|policy| policy.name.to_owned()).collect()
}

/// Modules that take the event apart, by crate, without its own aggregate and without tests.
fn code(event_type: &str, sources: &[(String, String)]) -> Vec<String> {
    let arm = format!("Event::{event_type}(");
    let readers = sources.iter().filter(|(_, text)| text.contains(&arm));
    let modules = readers.map(|(name, _)| {
        let path = name.strip_prefix("crates/").unwrap();
        path.trim_end_matches(".rs")
            .trim_end_matches("/mod")
            .replace("/src/", "/")
    });
    modules.collect()
}

fn sources() -> Vec<(String, String)> {
    let is_reader = |name: &str| {
        Path::new(name).extension().is_some_and(|kind| kind == "rs")
            && name.contains("/src/")
            && !name.contains("test")
            && !name.contains("aggregate")
            && !name.contains("/contract/")
            && !name.contains("/commands/")
            && !name.contains("/policies/")
    };
    let files = files("crates")
        .into_iter()
        .filter(|(name, _)| is_reader(name));
    files.map(|(name, path)| (name, read(&path))).collect()
}

fn catalogue() -> String {
    let (projections, sources) = (files("projections"), sources());
    let mut page = HEAD.to_owned();
    let mut stream = String::new();
    for event in events() {
        if event.stream != stream {
            stream.clone_from(&event.stream);
            let producer = PRODUCERS
                .iter()
                .find(|(name, _)| *name == stream)
                .unwrap()
                .1;
            write!(page, "\n## {stream}\n\nWritten by {producer}.\n").unwrap();
        }
        let Entry {
            event_type,
            version,
            ..
        } = &event;
        write!(page, "\n### {event_type} v{version}\n\n").unwrap();
        if !event.doc.is_empty() {
            write!(page, "{}\n\n", event.doc).unwrap();
        }
        for (what, list) in [
            ("Sealed", event.sealed.clone()),
            ("Read models", read_models(event_type, &projections)),
            ("Policies", policies(event_type)),
            ("Code", code(event_type, &sources)),
        ] {
            let list: Vec<_> = list.iter().map(|item| format!("`{item}`")).collect();
            let list = if list.is_empty() {
                "none".to_owned()
            } else {
                list.join(", ")
            };
            writeln!(page, "- {what}: {list}").unwrap();
        }
    }
    page
}

#[test]
fn the_catalogue_is_what_the_code_says() {
    let (page, path) = (catalogue(), root().join("docs/events.md"));
    if fs::read_to_string(&path).is_ok_and(|known| known == page) {
        return;
    }
    assert!(
        std::env::var_os("UPDATE_SCHEMAS").is_some(),
        "docs/events.md is out of date: UPDATE_SCHEMAS=1 cargo test -p doran catalogue"
    );
    fs::write(&path, page).unwrap();
}

#[test]
fn every_event_is_read_by_somebody() {
    let (projections, sources) = (files("projections"), sources());
    for Entry { event_type, .. } in events() {
        let readers = read_models(&event_type, &projections).len()
            + policies(&event_type).len()
            + code(&event_type, &sources).len();
        let is_read = readers > 0 || READ_BY_ITS_AGGREGATE.contains(&event_type.as_str());
        assert!(is_read, "nobody reads {event_type}");
    }
}
