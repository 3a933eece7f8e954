//! `docs/api/asyncapi.json`: the events as `AsyncAPI` 3 describes them, made from the types.
//!
//! `UPDATE_SCHEMAS=1 cargo test -p doran-contract` writes it.

use std::{collections::BTreeMap, fs};

use serde_json::{Map, Value, json};

use super::tests::{Part, folder, language, read};
use crate::subject::{BOT_STREAM, JOB_STREAM, SESSION_STREAM, STORE_STREAM};

/// Headers of every event, and what they say.
const ENVELOPE: [(&str, &str, &str); 11] = [
    (
        "ce-id",
        "uuid",
        "The event's id, made of the command's: a retry makes the same.",
    ),
    (
        "ce-type",
        "string",
        "The event type, as at the end of the subject.",
    ),
    ("ce-source", "string", "Which service wrote it."),
    ("ce-time", "date-time", "What the writer's clock said."),
    ("ce-dataversion", "string", "The version of the event type."),
    ("doran-command-id", "uuid", "The command that led to it."),
    (
        "doran-command-fingerprint",
        "string",
        "Keyed hash of the request.",
    ),
    (
        "doran-actor",
        "string",
        "The user or program that asked for it.",
    ),
    (
        "doran-correlation-id",
        "string",
        "The request from which it followed.",
    ),
    (
        "doran-causation-id",
        "string",
        "The event from which it followed.",
    ),
    ("traceparent", "string", "W3C trace context."),
];

fn document() -> Value {
    let mut channels = Map::new();
    let mut operations = Map::new();
    let mut messages = Map::new();
    let mut schemas = BTreeMap::from([("Envelope".to_owned(), envelope())]);
    for Part {
        stream,
        address,
        schemas: events,
        ..
    } in language()
    {
        for (name, version, schema) in events {
            let (payload, parts) = apart(schema);
            let sealed = sealed_fields(&payload, &parts);
            for (part, schema) in parts {
                let known = schemas.insert(part.clone(), schema.clone());
                assert!(
                    known.is_none_or(|known| known == schema),
                    "two shapes are named {part}"
                );
            }
            assert!(
                schemas.insert(name.to_owned(), payload).is_none(),
                "{name} names two shapes"
            );
            messages.insert(name.to_owned(), message(stream, name, version, &sealed));
            channels.insert(name.to_owned(), channel(stream, address, name));
            operations.insert(format!("store{name}"), operation(name));
        }
    }
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "DoranDoran events",
            "version": "1",
            "description": "What the log holds. A field with `x-sealed` opens only with its \
                            owner's data key.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "nats": { "host": "localhost:4222", "protocol": "nats", "description": "JetStream" },
        },
        "channels": channels,
        "operations": operations,
        "components": { "messages": messages, "schemas": schemas },
    })
}

fn message(stream: &str, name: &str, version: u32, sealed: &[String]) -> Value {
    json!({
        "name": name,
        "title": format!("{name} v{version}"),
        "contentType": "application/json",
        "headers": { "$ref": "#/components/schemas/Envelope" },
        "payload": { "$ref": format!("#/components/schemas/{name}") },
        "x-version": version,
        "x-stream": stream,
        "x-sealed": sealed,
    })
}

fn channel(stream: &str, address: &str, name: &str) -> Value {
    let description = if [SESSION_STREAM, STORE_STREAM, JOB_STREAM, BOT_STREAM].contains(&stream) {
        format!("Stored in stream {stream}.")
    } else {
        format!("Stored in stream {stream}, and sent live on live.{address}.{name}.")
    };
    json!({
        "address": format!("{address}.{name}"),
        "description": description,
        "parameters": parameters(address),
        "messages": { name: { "$ref": format!("#/components/messages/{name}") } },
    })
}

fn operation(name: &str) -> Value {
    json!({
        "action": "send",
        "channel": { "$ref": format!("#/channels/{name}") },
        "messages": [{ "$ref": format!("#/channels/{name}/messages/{name}") }],
    })
}

fn envelope() -> Value {
    let properties: Map<_, _> = ENVELOPE
        .into_iter()
        .map(|(name, format, description)| {
            let mut schema = json!({ "type": "string", "description": description });
            if format != "string" {
                schema["format"] = format.into();
            }
            (name.to_owned(), schema)
        })
        .collect();
    json!({
        "type": "object",
        "required": ["ce-id", "ce-type", "ce-source", "ce-time", "ce-dataversion"],
        "properties": properties,
    })
}

fn parameters(address: &str) -> Value {
    let names = address.split('.').filter_map(|token| {
        let name = token.strip_prefix('{')?.strip_suffix('}')?;
        let description = match name {
            "shard" => "Two digits made of the room's id",
            "job" => "The job's name",
            _ => "A UUID in lower case",
        };
        Some((name.to_owned(), json!({ "description": description })))
    });
    Value::Object(names.collect())
}

/// The schema with its named parts beside it instead of inside.
fn apart(mut schema: Value) -> (Value, Map<String, Value>) {
    let parts = schema.as_object_mut().and_then(|fields| {
        fields.remove("$schema");
        fields.remove("$defs")
    });
    redirect(&mut schema);
    let mut parts = parts.map_or_else(Map::new, |parts| serde_json::from_value(parts).unwrap());
    parts.values_mut().for_each(redirect);
    (schema, parts)
}

fn redirect(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(text) if key == "$ref" => {
                        *text = text.replace("#/$defs/", "#/components/schemas/");
                    }
                    value => redirect(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redirect),
        _ => {}
    }
}

/// Those of the payload, and one step deeper those of its parts, as `field.field`.
fn sealed_fields(payload: &Value, parts: &Map<String, Value>) -> Vec<String> {
    let fields = |schema: &Value| -> BTreeMap<String, Value> {
        serde_json::from_value(schema["properties"].clone()).unwrap_or_default()
    };
    let refers = |schema: &Value, part: &str| {
        let reference = format!("\"#/components/schemas/{part}\"");
        schema.to_string().contains(&reference)
    };
    let mut sealed = Vec::new();
    for (name, schema) in fields(payload) {
        if refers(&schema, "Sealed") {
            sealed.push(name);
            continue;
        }
        for (_, inner) in parts.iter().filter(|(part, _)| refers(&schema, part)) {
            let inner = fields(inner).into_iter();
            let inner = inner.filter(|(_, schema)| refers(schema, "Sealed"));
            sealed.extend(inner.map(|(inner, _)| format!("{name}.{inner}")));
        }
    }
    sealed
}

#[test]
fn the_document_is_what_the_types_say() {
    let document = document();
    let path = folder("../docs/api/asyncapi.json");
    if read(&path).as_ref() == Some(&document) {
        return;
    }
    assert!(
        std::env::var_os("UPDATE_SCHEMAS").is_some(),
        "{} is not what the Rust types say: UPDATE_SCHEMAS=1 cargo test -p doran-contract",
        path.display()
    );
    fs::write(
        &path,
        serde_json::to_string_pretty(&document).unwrap() + "\n",
    )
    .unwrap();
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    let document = document();
    let mut open = vec![&document];
    let mut followed = 0;
    while let Some(value) = open.pop() {
        match value {
            Value::Object(fields) => {
                if let Some(target) = fields.get("$ref").and_then(Value::as_str) {
                    let pointer = target.strip_prefix('#').unwrap();
                    assert!(document.pointer(pointer).is_some(), "{target}");
                    followed += 1;
                }
                open.extend(fields.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    assert!(followed > 50, "{followed}");
}
