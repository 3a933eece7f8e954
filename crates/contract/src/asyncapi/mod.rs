//! `docs/api/asyncapi.json`: the events in the log and the frames of the sockets as `AsyncAPI` 3
//! describes them, made from the types.
//!
//! `UPDATE_SCHEMAS=1 cargo test -p doran-contract` writes it.

mod document;
mod events;
mod native;
mod schema;
mod stomp;
mod stomp_headers;

use std::fs;

use serde_json::{Value, json};

use self::document::Document;
use crate::events::tests::{folder, read};

fn document() -> Value {
    let mut document = Document::default();
    events::describe(&mut document);
    native::describe(&mut document);
    stomp::describe(&mut document);
    document.into_value(
        &json!({
            "title": "DoranDoran: events and sockets",
            "version": "1",
            "description": "What the log holds, and what clients and the gateway say to each other \
                on a WebSocket: in frames of `doran.v1`, or, for clients written against Spring, in \
                frames of STOMP. A field in `x-sealed` opens only with its owner's data key. Frames \
                and events may get new fields: ignore those that you do not know.",
        }),
        &json!({
            "nats": { "host": "localhost:4222", "protocol": "nats", "description": "JetStream" },
            "gateway": {
                "host": "localhost:8080",
                "protocol": "ws",
                "description": "The front door. Browsers have to come from one of its origins.",
            },
            "stomp": {
                "host": "localhost:8080",
                "pathname": "/ws/chat",
                "protocol": "stomp",
                "description": "The front door, in STOMP over a WebSocket or SockJS.",
            },
        }),
    )
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
