//! Frames of real sockets beside what `docs/api/asyncapi.json` says of them.

use std::{
    collections::HashMap,
    fs,
    hash::BuildHasher,
    sync::{LazyLock, OnceLock},
};

use anyhow::{Context, Result, bail, ensure};
use doran_supervisor::workspace;
use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::{closed::close, must};

/// The channel of `doran.v1`; on the others of the gateway STOMP is spoken.
const NATIVE: &str = "socket";

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| must("docs/api/asyncapi.json", read()));
static MESSAGES: LazyLock<Vec<Described>> =
    LazyLock::new(|| must("messages of docs/api/asyncapi.json", messages()));

/// Who sends a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Client,
    Server,
}

/// Fails the test if a frame of `doran.v1` is not as described.
pub fn check_frame(side: Side, frame: &Value) {
    must(&format!("{side:?}: {frame}"), native(side, frame));
}

/// Fails the test if a frame of that type may not be answered so: by this type, in this shape.
pub fn check_reply(asked: &str, answer: &Value) {
    must(&format!("{asked}: {answer}"), reply(asked, answer));
}

/// Fails the test if a frame of STOMP is not as described.
pub fn check_stomp<S: BuildHasher>(
    side: Side,
    command: &str,
    headers: &HashMap<String, String, S>,
    body: &str,
) {
    let headers = headers
        .iter()
        .map(|(name, text)| (name.clone(), text.clone()));
    let headers = headers.collect();
    let checked = stomp(side, command, &headers, body);
    must(&format!("{side:?}: {command} {headers:?} {body}"), checked);
}

/// Fails the test if the server does not close sockets with this code.
pub fn check_close(code: u16) {
    must(&format!("close {code}"), is_described(code));
}

/// A message of one of the gateway's channels.
struct Described {
    channel: &'static str,
    address: &'static str,
    key: &'static str,
    side: Side,
    message: &'static Value,
    headers: OnceLock<Validator>,
    payload: OnceLock<Validator>,
}

impl Described {
    fn name(&self) -> &str {
        self.message["name"].as_str().unwrap_or_default()
    }

    /// The `type` that its headers have to name; none if they have none.
    fn kind(&self) -> Option<&str> {
        self.message
            .pointer("/headers/properties/type/const")?
            .as_str()
    }

    fn check_headers(&self, headers: &HashMap<String, String>) -> Result<()> {
        let schema = &self.message["headers"];
        check(&self.headers, schema, &json!(headers)).context("headers")
    }

    fn check_payload(&self, payload: &Value) -> Result<()> {
        let schema = self.message.get("payload").context("it has no body")?;
        check(&self.payload, schema, payload)
    }
}

fn read() -> Result<Value> {
    let text = fs::read_to_string(workspace().join("docs/api/asyncapi.json"))?;
    let mut document: Value = serde_json::from_str(&text)?;
    close(document.get_mut("components").context("components")?);
    Ok(document)
}

fn part(name: &str) -> Result<&'static Map<String, Value>> {
    let part = DOCUMENT.get(name).and_then(Value::as_object);
    part.with_context(|| name.to_owned())
}

fn messages() -> Result<Vec<Described>> {
    let (channels, operations) = (part("channels")?, part("operations")?);
    let messages = DOCUMENT.pointer("/components/messages");
    let messages = messages.context("messages")?;
    let received: Vec<_> = operations
        .values()
        .filter(|operation| operation["action"] == "receive")
        .filter_map(|operation| operation.pointer("/messages/0/$ref")?.as_str())
        .collect();
    let mut found = Vec::new();
    for (channel, described) in channels {
        let server = described.pointer("/servers/0/$ref");
        if server.context("servers")? == "#/servers/nats" {
            continue;
        }
        for (key, _) in described["messages"].as_object().context("messages")? {
            let place = format!("#/channels/{channel}/messages/{key}");
            let is_received = received.contains(&place.as_str());
            found.push(Described {
                channel,
                address: described["address"].as_str().context("address")?,
                key,
                side: if is_received {
                    Side::Client
                } else {
                    Side::Server
                },
                message: messages.get(key).with_context(|| key.clone())?,
                headers: OnceLock::new(),
                payload: OnceLock::new(),
            });
        }
    }
    Ok(found)
}

fn native(side: Side, frame: &Value) -> Result<()> {
    is_one_of(of_type(side, &frame["type"]), frame).context("as described")
}

fn reply(asked: &str, answer: &Value) -> Result<()> {
    let asked = of_type(Side::Client, &json!(asked)).next();
    let asked = asked.context("what was asked is not described")?;
    let operation = part("operations")?.get(&format!("receive{}", asked.key));
    let answers = operation.and_then(|operation| operation.pointer("/reply/messages")?.as_array());
    let answers = answers.context("nothing answers it")?;
    let may_answer = |message: &&Described| {
        let place = format!("#/channels/{NATIVE}/messages/{}", message.key);
        answers.iter().any(|answer| answer["$ref"] == place)
    };
    let candidates = of_type(Side::Server, &answer["type"]).filter(may_answer);
    is_one_of(candidates, answer).context("as an answer")
}

/// Frames of one type: an `ok` has a shape for each kind of answer.
fn of_type(side: Side, kind: &Value) -> impl Iterator<Item = &'static Described> {
    MESSAGES.iter().filter(move |message| {
        (message.channel, message.side) == (NATIVE, side) && message.name() == kind
    })
}

fn is_one_of(candidates: impl Iterator<Item = &'static Described>, frame: &Value) -> Result<()> {
    let mut wrong = Vec::new();
    for candidate in candidates {
        match candidate.check_payload(frame) {
            Ok(()) => return Ok(()),
            Err(error) => wrong.push(format!("{}: {error:#}", candidate.key)),
        }
    }
    ensure!(!wrong.is_empty(), "this type may not come");
    bail!(wrong.join("\n"))
}

fn stomp(side: Side, command: &str, headers: &HashMap<String, String>, body: &str) -> Result<()> {
    // Clients may call it either way.
    let command = if command == "STOMP" {
        "CONNECT"
    } else {
        command
    };
    let destination = headers.get("destination").map_or("", String::as_str);
    let is_channel = |message: &&Described| message.address == destination;
    let has_own_channel = MESSAGES.iter().any(|message| is_channel(&message));
    let mut candidates = MESSAGES.iter().filter(|message| {
        (message.side, message.name()) == (side, command)
            && message.channel != NATIVE
            && message.kind() == headers.get("type").map(String::as_str)
            && (command != "MESSAGE" || !has_own_channel || is_channel(message))
    });
    let found = candidates.next().context("it is not described")?;
    found.check_headers(headers)?;
    if found.message.get("payload").is_none() {
        ensure!(body.is_empty(), "it has a body");
        return Ok(());
    }
    found.check_payload(&serde_json::from_str(body).context("the body")?)
}

fn is_described(code: u16) -> Result<()> {
    let code = code.to_string();
    let mut lists = part("channels")?
        .values()
        .filter_map(|channel| channel["x-close-codes"].as_object());
    ensure!(
        lists.any(|codes| codes.contains_key(&code)),
        "the code is not described"
    );
    Ok(())
}

fn check(validator: &OnceLock<Validator>, schema: &Value, value: &Value) -> Result<()> {
    let validator = if let Some(known) = validator.get() {
        known
    } else {
        let root = json!({ "allOf": [schema], "components": part("components")? });
        let options = jsonschema::options().should_validate_formats(true);
        let made = options.build(&root).context("the schema")?;
        validator.get_or_init(|| made)
    };
    let errors = validator.iter_errors(value);
    let wrong: Vec<_> = errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    if !wrong.is_empty() {
        bail!(wrong.join("\n"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: &str = "00000000-0000-4000-8000-000000000000";

    fn headers(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_frame_that_is_not_as_described_is_found() {
        let typing = json!({ "type": "typing", "roomId": ROOM, "userId": ROOM, "on": true });
        native(Side::Server, &typing).unwrap();
        for (field, value) in [
            ("type", json!("dance")),
            ("type", json!("read")),
            ("roomId", json!("a room")),
            ("userId", Value::Null),
            ("on", json!("yes")),
            ("more", json!(1)),
        ] {
            let mut wrong = typing.clone();
            wrong[field] = value;
            assert!(native(Side::Server, &wrong).is_err(), "{wrong}");
        }
        // Clients have a frame of this type, too, and name nobody in it.
        assert!(native(Side::Client, &typing).is_err());
    }

    #[test]
    fn an_answer_has_the_fields_of_one_kind_of_answer_and_no_others() {
        let read = json!({ "type": "ok", "id": 1, "roomId": ROOM, "seq": 7 });
        native(Side::Server, &read).unwrap();
        for (field, value) in [("on", json!(true)), ("id", Value::Null), ("seq", json!(-1))] {
            let mut wrong = read.clone();
            wrong[field] = value;
            assert!(native(Side::Server, &wrong).is_err(), "{wrong}");
        }
        reply("read", &read).unwrap();
        assert!(reply("send", &read).is_err());
        assert!(reply("ping", &json!({ "type": "hello" })).is_err());
    }

    #[test]
    fn each_request_has_its_own_ok() {
        let left = json!({ "type": "ok", "id": 1, "roomId": ROOM });
        let mut read = left.clone();
        read["seq"] = json!(7);
        let mut changed = read.clone();
        changed["messageId"] = json!(ROOM);
        let away = json!({ "type": "ok", "id": 1, "state": "away" });
        let answers = [
            ("unsubscribe", &left),
            ("read", &read),
            ("pin", &changed),
            ("presence", &away),
        ];
        for (asked, _) in answers {
            for (other, answer) in answers {
                assert_eq!(
                    reply(asked, answer).is_ok(),
                    asked == other,
                    "{asked}: {answer}"
                );
            }
        }
        for asked in ["unpin", "edit", "delete", "react", "unreact"] {
            reply(asked, &changed).unwrap();
        }
        let refused = json!({ "type": "error", "id": 1, "code": "NOT_MEMBER", "message": "no", "retryable": false });
        reply("pin", &refused).unwrap();
    }

    #[test]
    fn a_stomp_frame_that_is_not_as_described_is_found() {
        let unread = json!({ "type": "unread", "roomId": ROOM, "unreadCount": 1, "mentionCount": 0, "readSeq": 1 });
        let told = |destination: &str, more: &[(&str, &str)], body: &Value| {
            let common = [
                ("destination", destination),
                ("type", "unread"),
                ("message-id", "1"),
                ("content-type", "application/json"),
                ("content-length", "2"),
            ];
            let headers = headers(&[&common, more].concat());
            stomp(Side::Server, "MESSAGE", &headers, &body.to_string())
        };
        told("/user/queue/unread", &[], &unread).unwrap();
        assert!(told("/user/queue/rooms", &[], &unread).is_err());
        assert!(told("/user/queue/unread", &[("seq", "1")], &unread).is_err());
        assert!(told("/user/queue/unread", &[("content-length", "x")], &unread).is_err());
        assert!(told("/user/queue/unread", &[], &json!({ "type": "unread" })).is_err());

        let receipt = |pairs: &[(&str, &str)], body: &str| {
            stomp(Side::Server, "RECEIPT", &headers(pairs), body)
        };
        receipt(&[("receipt-id", "1")], "").unwrap();
        assert!(receipt(&[], "").is_err());
        assert!(receipt(&[("receipt-id", "1")], "{}").is_err());
        assert!(receipt(&[("receipt-id", "1"), ("reason", "mood")], "").is_err());
    }

    #[test]
    fn only_codes_that_are_described_may_close_a_socket() {
        for code in [1000, 4001, 4507] {
            is_described(code).unwrap();
        }
        for code in [1006, 4006, 4999] {
            assert!(is_described(code).is_err(), "{code}");
        }
    }
}
