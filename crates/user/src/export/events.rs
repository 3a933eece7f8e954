//! The events of a stream that name a person, opened as far as they are the person's own.

use doran_contract::UserId;
use doran_eventstore::{LogReader, ReadError, Recorded};
use doran_platform::{
    keyring::{DataKey, Place},
    sealed_fields::sealed_fields,
};
use serde_json::{Value, json};

use super::ExportError;

/// Events that are read at once.
const PAGE: usize = 100;
/// Hashes of secrets, which say nothing about anybody.
const LEFT_OUT: [&str; 2] = ["refreshTokenHash", "presentedTokenHash"];

/// One stream, and how far it is read.
pub(super) struct Events {
    log: LogReader,
    filter: String,
    next: u64,
    /// Nothing after it is looked at.
    last: u64,
    state: State,
}

/// How much of the array is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Empty,
    Begun,
    Ended,
}

impl Events {
    /// Everything that lies in the stream now.
    pub(super) async fn until_now(log: LogReader, filter: &str) -> Result<Self, ReadError> {
        Ok(Self {
            last: log.head().await?,
            log,
            filter: filter.to_owned(),
            next: 1,
            state: State::Empty,
        })
    }

    /// The next piece of a JSON array of events; none at its end.
    pub(super) async fn page(
        &mut self,
        user: UserId,
        key: &DataKey,
    ) -> Result<Option<String>, ExportError> {
        if self.state == State::Ended {
            return Ok(None);
        }
        let page = self.log.read(&self.filter, self.next, PAGE).await?;
        let known = page.iter().filter(|event| event.sequence <= self.last);
        let mut text = String::new();
        for event in known {
            self.next = event.sequence + 1;
            let Some(body) = about(event, user) else {
                continue;
            };
            text.push_str(if self.state == State::Empty {
                "[\n"
            } else {
                ",\n"
            });
            text.push_str(&serde_json::to_string(&opened(event, body, user, key))?);
            self.state = State::Begun;
        }
        let is_end = page.last().is_none_or(|event| event.sequence >= self.last);
        if is_end {
            text.push_str(if self.state == State::Empty {
                "[]\n"
            } else {
                "\n]\n"
            });
            self.state = State::Ended;
        }
        Ok(Some(text))
    }
}

/// The body of an event that names the person in a field, or among a room's first members.
fn about(event: &Recorded, user: UserId) -> Option<Value> {
    let body: Value = serde_json::from_slice(&event.payload).ok()?;
    let id = Value::String(user.to_string());
    let is_named = |value: &Value| {
        let fields = value.as_object().into_iter().flatten();
        fields.into_iter().any(|(_, value)| *value == id)
    };
    let members = body.get("members").and_then(Value::as_array);
    let is_first = members.is_some_and(|members| members.iter().any(is_named));
    (is_named(&body) || is_first).then_some(body)
}

/// What others sealed stays sealed.
fn opened(event: &Recorded, mut body: Value, user: UserId, key: &DataKey) -> Value {
    for field in sealed_fields(&body) {
        if field.sealed.key != user {
            continue;
        }
        let place = Place {
            subject: &event.subject,
            event_id: event.event_id,
            field: &field.field,
        };
        let text = key.open(place, &field.sealed);
        if let Some(value) = body.pointer_mut(&field.pointer) {
            // As `doran events` marks it: what does not open in its place.
            *value = text.map_or_else(|_damaged| json!({ "damaged": true }), Value::String);
        }
    }
    if let Some(fields) = body.as_object_mut() {
        fields.retain(|name, _| !LEFT_OUT.contains(&name.as_str()));
    }
    json!({
        "sequence": event.sequence,
        "time": event.time,
        "type": event.event_type,
        "actor": event.actor,
        "data": body,
    })
}
