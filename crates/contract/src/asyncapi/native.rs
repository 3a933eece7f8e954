//! The native protocol `doran.v1`: one channel, with a message for each variant of the frames.

use serde_json::{Map, Value, json};

use super::{
    document::{Document, Operation, refer},
    schema::{Frames, choices, read_frames, written_frames},
};
use crate::{
    ErrorCode,
    frame::{
        ClientFrame, CloseCode, MAX_FRAME_BYTES, MAX_IN_FLIGHT, RESUME_MAX, SUBPROTOCOL,
        ServerFrame,
    },
};

const CHANNEL: &str = "socket";
/// An answer that comes unasked, too: to a ticket on the URL.
const LOGGED_IN: &str = "ServerOkAuthenticated";

pub(super) fn describe(document: &mut Document) {
    document.add_channel(CHANNEL, channel());
    let mut told = written_frames::<ServerFrame>("type");
    let code = told.parts.get_mut("ErrorCode").unwrap();
    *code = codes_of_sockets(code);
    let mut asked = read_frames::<ClientFrame>("type");
    let answers = answers(&mut asked);
    for ((kind, shape), answer) in asked.shapes.into_iter().zip(&answers) {
        let name = name("Client", &kind);
        let replies = [answer.as_str(), "ServerError"];
        let operation = Operation::receive(CHANNEL, &replies);
        let title = format!("`{kind}` from the client");
        document.add_schema(&name, &shape, &asked.parts);
        let message = message(&name, &kind, &title);
        document.add_message((CHANNEL, &name), message, &[operation]);
    }
    for (key, shape) in told.shapes {
        let name = name("Server", &key);
        let is_answer = answers.contains(&name);
        let kind = shape["properties"]["type"]["const"].as_str().unwrap();
        assert!(is_answer || key == kind, "nothing is answered by {key}");
        let comes_unasked = !is_answer || name == LOGGED_IN;
        let operations: &[_] = if comes_unasked {
            &[Operation::SEND]
        } else {
            &[]
        };
        let title = format!("`{key}` from the server");
        document.add_schema(&name, &shape, &told.parts);
        let message = message(&name, kind, &title);
        document.add_message((CHANNEL, &name), message, operations);
    }
}

/// The frame that answers each frame of the client, but for `error`.
fn answers(asked: &mut Frames) -> Vec<String> {
    let answers = asked.shapes.iter_mut().map(|(kind, shape)| {
        let answer = answer(shape);
        let answer = answer.unwrap_or_else(|| panic!("nothing is said to answer {kind}"));
        name("Server", &answer)
    });
    answers.collect()
}

/// The answer that the shape of a frame names.
pub(super) fn answer(shape: &mut Value) -> Option<String> {
    let answer = shape.as_object_mut()?.remove("x-answer")?;
    answer.as_str().map(str::to_owned)
}

/// `ServerCaughtUp` of `caughtUp`.
pub(super) fn name(side: &str, kind: &str) -> String {
    let (first, rest) = kind.split_at(1);
    format!("{side}{}{rest}", first.to_uppercase())
}

fn message(name: &str, kind: &str, title: &str) -> Value {
    json!({
        "name": kind,
        "title": title,
        "contentType": "application/json",
        "payload": refer(&format!("components/schemas/{name}")),
    })
}

fn channel() -> Value {
    json!({
        "address": "/ws",
        "title": format!("The native protocol `{SUBPROTOCOL}`"),
        "description": format!(
            "A WebSocket with the subprotocol `{SUBPROTOCOL}`; `/ws/chat` serves too where that is \
             offered. A frame is one JSON object in a text frame of at most {MAX_FRAME_BYTES} bytes. \
             The client may give each of its frames an `id`, which the answer repeats. \
             The server says `hello`, and nothing else before `auth`, which has to come within 10 s, \
             or a ticket on the URL. {MAX_IN_FLIGHT} frames may be under way; beyond that the server \
             stops reading. A resume replays {RESUME_MAX} events at most. Of what waits to be read, \
             `typing`, `presence` and `botDelta` are left out beyond 256 KiB, and beyond 1 MiB the \
             socket is closed with 4004. The fifth malformed frame and a binary one close it with \
             4500. Of the codes in `x-close-codes` 4000 to 4499 mean come back, and 4500 to 4999 \
             stop; the reason is JSON, `{{\"afterMs\":…}}`: how long to stay away."
        ),
        "servers": [refer("servers/gateway")],
        "bindings": { "ws": {
            "method": "GET",
            "query": { "type": "object", "properties": { "ticket": {
                "type": "string",
                "description": "Logs in by itself: from POST /api/auth/ws-ticket, for one use within \
                                30 s.",
            } } },
            "headers": { "type": "object", "required": ["Sec-WebSocket-Protocol"], "properties": {
                "Sec-WebSocket-Protocol": { "type": "string", "const": SUBPROTOCOL },
            } },
            "bindingVersion": "0.1.0",
        } },
        "x-close-codes": close_codes(),
    })
}

/// Each code with what it means.
pub(super) fn close_codes() -> Value {
    let codes = choices(&schemars::schema_for!(CloseCode).to_value()).into_iter();
    let codes = codes.map(|(name, meaning)| {
        let code: CloseCode = serde_json::from_value(Value::String(name)).unwrap();
        assert!(!meaning.is_empty(), "{code:?} is not explained");
        (code.code().to_string(), Value::String(meaning))
    });
    Value::Object(codes.collect::<Map<_, _>>())
}

/// Sockets have fewer codes than HTTP.
fn codes_of_sockets(all: &Value) -> Value {
    let codes = choices(all).into_iter().map(|(code, _)| code);
    let is_on_sockets = |code: &String| {
        let code: ErrorCode = serde_json::from_value(json!(code)).unwrap();
        code.on_socket() == code
    };
    json!({
        "type": "string",
        "enum": codes.filter(is_on_sockets).collect::<Vec<_>>(),
        "description": "Stable codes of what is refused.",
    })
}
