//! What was ever written can be read for ever: schemas and golden examples under `streams/`.
//!
//! `UPDATE_SCHEMAS=1 cargo test -p doran-contract` writes the schemas that compatible changes and
//! new events lead to. Golden examples are written by hand, and none is ever changed.

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    path::PathBuf,
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::*;

/// One stream's part of the language.
pub(crate) struct Part {
    pub(crate) stream: &'static str,
    /// What an event's subject has before its type.
    pub(crate) address: &'static str,
    pub(crate) schemas: Vec<(&'static str, u32, Value)>,
    /// Reads an event and writes it again.
    read_back: fn(&str, Value) -> Result<Value, serde_json::Error>,
}

pub(crate) fn language() -> [Part; 8] {
    [
        part::<UserEvent>("USER", "user.{userId}", UserEvent::schemas()),
        part::<RoomEvent>("CHATROOM", "chatroom.{roomId}", RoomEvent::schemas()),
        part::<MessageEvent>(
            "MESSAGE",
            "message.{shard}.{roomId}",
            MessageEvent::schemas(),
        ),
        part::<SessionEvent>("SESSION", "session.{sessionId}", SessionEvent::schemas()),
        part::<BookmarkEvent>("STORE", "bookmark.{userId}", BookmarkEvent::schemas()),
        part::<FileEvent>("STORE", "file.{fileId}", FileEvent::schemas()),
        part::<JobEvent>("JOB", "job.{job}", JobEvent::schemas()),
        part::<BotEvent>("BOT", "bot.{botId}", BotEvent::schemas()),
    ]
}

fn part<E: Serialize + DeserializeOwned>(
    stream: &'static str,
    address: &'static str,
    schemas: Vec<(&'static str, u32, Value)>,
) -> Part {
    Part {
        stream,
        address,
        schemas,
        read_back: |event_type, data| {
            let event: E = serde_json::from_value(json!({ "type": event_type, "data": data }))?;
            serde_json::to_value(event).map(|event| event["data"].clone())
        },
    }
}

pub(crate) fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../streams")
        .join(name)
}

pub(crate) fn read(path: &PathBuf) -> Option<Value> {
    let text = fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// What readers of `old` would stumble over in `new`. Explanations do not matter, and a choice may
/// get more values: the log holds none of them yet.
fn breaking_changes(old: &Value, new: &Value) -> Vec<String> {
    let (old, new) = (&unexplained(old), &unexplained(new));
    let properties = |schema: &Value| -> BTreeMap<String, Value> {
        serde_json::from_value(schema["properties"].clone()).unwrap_or_default()
    };
    let required = |schema: &Value| -> HashSet<String> {
        serde_json::from_value(schema["required"].clone()).unwrap_or_default()
    };
    let now = properties(new);
    let mut found: Vec<_> = properties(old)
        .into_iter()
        .filter(|(name, shape)| !now.get(name).is_some_and(|now| fits(shape, now)))
        .map(|(name, _)| format!("{name} is gone or has another shape"))
        .collect();
    let added = required(new);
    let added = added
        .difference(&required(old))
        .cloned()
        .collect::<Vec<_>>();
    found.extend(
        added
            .iter()
            .map(|name| format!("{name} is needed and was not written before")),
    );
    let inside: BTreeMap<String, Value> =
        serde_json::from_value(old["$defs"].clone()).unwrap_or_default();
    let changed = inside
        .iter()
        .filter(|(name, shape)| !fits(shape, &new["$defs"][*name]));
    found.extend(changed.map(|(name, _)| format!("{name} has another shape")));
    found
}

fn unexplained(schema: &Value) -> Value {
    match schema {
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, value)| *name != "description" || !value.is_string())
            .map(|(name, value)| (name.clone(), unexplained(value)))
            .collect(),
        Value::Array(items) => items.iter().map(unexplained).collect(),
        other => other.clone(),
    }
}

fn fits(old: &Value, new: &Value) -> bool {
    let without_choice = |schema: &Value| {
        let mut schema = schema.clone();
        if let Some(fields) = schema.as_object_mut() {
            fields.remove("enum");
        }
        schema
    };
    if let (Some(old), Some(new)) = (old["oneOf"].as_array(), new["oneOf"].as_array()) {
        return old.iter().all(|old| new.iter().any(|new| fits(old, new)));
    }
    match (old["enum"].as_array(), new["enum"].as_array()) {
        (Some(old_values), Some(values)) => {
            old_values.iter().all(|value| values.contains(value))
                && without_choice(old) == without_choice(new)
        }
        _ => old == new,
    }
}

#[test]
fn no_two_event_types_share_a_name() {
    let names: Vec<_> = language()
        .into_iter()
        .flat_map(|part| part.schemas)
        .collect();
    let distinct: HashSet<_> = names.iter().map(|(name, ..)| name).collect();
    assert_eq!(distinct.len(), names.len());
}

#[test]
fn the_shape_of_a_version_never_changes_for_those_who_read_it() {
    for part in language() {
        for (name, version, schema) in part.schemas {
            let path = folder("schemas").join(format!("{}/{name}.v{version}.json", part.stream));
            let committed = read(&path);
            let old = committed.clone().unwrap_or_else(|| schema.clone());
            let breaking = breaking_changes(&old, &schema);
            assert!(
                breaking.is_empty(),
                "{name} v{version}: {}. Raise its version and write an upcaster.",
                breaking.join("; ")
            );
            if committed.as_ref() == Some(&schema) {
                continue;
            }
            assert!(
                std::env::var_os("UPDATE_SCHEMAS").is_some(),
                "{} is not what the Rust type says: UPDATE_SCHEMAS=1 cargo test -p doran-contract",
                path.display()
            );
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
            fs::write(&path, text).unwrap();
        }
    }
}

#[test]
fn every_event_has_a_golden_example_that_reads_back_as_it_is() {
    for part in language() {
        for (name, version, _) in part.schemas {
            let path = folder("golden").join(format!("{}/{name}.v{version}.json", part.stream));
            let golden = read(&path).unwrap_or_else(|| {
                panic!(
                    "write {}: an example of this version, as the log has it",
                    path.display()
                )
            });
            let again = (part.read_back)(name, golden.clone());
            assert_eq!(
                again.unwrap_or_else(|error| panic!("{name}: {error}")),
                golden
            );
        }
    }
}

#[test]
fn what_would_break_readers_is_told_from_what_would_not() {
    let old = json!({ "properties": { "a": { "type": "string" } }, "required": ["a"] });
    let added = json!({
        "properties": { "a": { "type": "string" }, "b": { "type": ["string", "null"] } },
        "required": ["a"]
    });
    assert_eq!(breaking_changes(&old, &added), Vec::<String>::new());
    let needed = json!({ "properties": added["properties"], "required": ["a", "b"] });
    assert_eq!(breaking_changes(&old, &needed).len(), 1);
    let retyped = json!({ "properties": { "a": { "type": "integer" } }, "required": ["a"] });
    assert_eq!(breaking_changes(&old, &retyped).len(), 1);
    assert_eq!(breaking_changes(&added, &old).len(), 1);

    let choice = |values: &[&str]| {
        json!({
            "properties": { "a": { "$ref": "#/$defs/Why" } },
            "$defs": { "Why": { "description": format!("{values:?}"), "enum": values } }
        })
    };
    let (few, many) = (choice(&["x"]), choice(&["x", "y"]));
    assert_eq!(breaking_changes(&few, &many), Vec::<String>::new());
    assert_eq!(breaking_changes(&many, &few).len(), 1);

    let explained = |values: &[&str]| {
        let each: Vec<_> = values
            .iter()
            .map(|value| json!({ "description": "why", "const": value }))
            .collect();
        json!({
            "properties": { "a": { "$ref": "#/$defs/Why" } },
            "$defs": { "Why": { "oneOf": each } }
        })
    };
    let (few, many) = (explained(&["x"]), explained(&["x", "y"]));
    assert_eq!(breaking_changes(&few, &many), Vec::<String>::new());
    assert_eq!(breaking_changes(&many, &few).len(), 1);
}
