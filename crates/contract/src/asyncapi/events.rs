//! The events in the log: a channel each.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::document::{Document, Operation, refer};
use crate::{
    events::tests::{Part, language},
    subject::{BOT_STREAM, JOB_STREAM, SESSION_STREAM, STORE_STREAM},
};

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

pub(super) fn describe(document: &mut Document) {
    document.add_schema("Envelope", &envelope(), &Map::new());
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
            document.add_schema(name, &payload, &parts);
            document.add_channel(name, channel(stream, address, name));
            let message = message(stream, name, version, &sealed);
            document.add_message((name, name), message, &[Operation::STORE]);
        }
    }
}

fn message(stream: &str, name: &str, version: u32, sealed: &[String]) -> Value {
    json!({
        "name": name,
        "title": format!("{name} v{version}"),
        "contentType": "application/json",
        "headers": refer("components/schemas/Envelope"),
        "payload": refer(&format!("components/schemas/{name}")),
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
        "servers": [refer("servers/nats")],
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
