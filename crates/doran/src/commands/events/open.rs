//! Opening the sealed fields of an event, wherever in its body they stand.

use anyhow::Result;
use async_nats::jetstream;
use doran_contract::Sealed;
use doran_eventstore::Recorded;
use doran_platform::{
    Config,
    keyring::{Keyring, OpenFieldError, Opened, Place},
    secret::{MasterKey, SecretError},
};
use serde_json::{Value, json};

use crate::exit::dependency;

/// Holds the keys.
pub(super) struct Opener(Keyring);

/// A sealed value and where it stands.
struct SealedField {
    pointer: String,
    /// Its name when it was sealed: the keys on the way to it, joined by dots.
    field: String,
    sealed: Sealed,
}

impl Opener {
    pub(super) async fn connect(config: &Config, js: &jetstream::Context) -> Result<Self> {
        let path = config.master_key_file.as_deref();
        let path = path.ok_or(SecretError::NoFile).map_err(dependency)?;
        let master = MasterKey::open(path).map_err(dependency)?;
        Ok(Self(Keyring::open(js, &master).await.map_err(dependency)?))
    }

    /// Puts plain text in the place of every sealed field. One whose key was destroyed, or that
    /// does not open in its place, is marked so; says whether there was none of the latter.
    pub(super) async fn open(&self, event: &Recorded, body: &mut Value) -> Result<bool> {
        let mut is_whole = true;
        for field in sealed_fields(body) {
            let place = Place {
                subject: &event.subject,
                event_id: event.event_id,
                field: &field.field,
            };
            let key = field.sealed.key;
            let opened = match self.0.open_field(place, &field.sealed).await {
                Ok(Opened::Text(text)) => Value::String(text),
                Ok(Opened::Destroyed) => json!({ "key": key, "destroyed": true }),
                Err(OpenFieldError::Damaged(_) | OpenFieldError::Malformed) => {
                    is_whole = false;
                    json!({ "key": key, "damaged": true })
                }
                Err(OpenFieldError::Keyring(error)) => return Err(dependency(error)),
            };
            if let Some(value) = body.pointer_mut(&field.pointer) {
                *value = opened;
            }
        }
        Ok(is_whole)
    }
}

/// For lines that people read: a mark in the place of every sealed field.
pub(super) fn abbreviate(body: &mut Value) {
    for field in sealed_fields(body) {
        if let Some(value) = body.pointer_mut(&field.pointer) {
            *value = Value::String("<sealed>".to_owned());
        }
    }
}

fn sealed_fields(body: &Value) -> Vec<SealedField> {
    let mut found = Vec::new();
    find(body, &mut Vec::new(), &mut found);
    found
}

fn find(value: &Value, path: &mut Vec<String>, found: &mut Vec<SealedField>) {
    if let Some(sealed) = as_sealed(value) {
        found.push(SealedField {
            pointer: pointer(path),
            field: path.join("."),
            sealed,
        });
        return;
    }
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (key.clone(), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, value)| (index.to_string(), value))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return,
    };
    for (key, child) in children {
        path.push(key);
        find(child, path, found);
        path.pop();
    }
}

/// The path as RFC 6901 writes it.
fn pointer(path: &[String]) -> String {
    path.iter().fold(String::new(), |pointer, key| {
        pointer + "/" + &key.replace('~', "~0").replace('/', "~1")
    })
}

fn as_sealed(value: &Value) -> Option<Sealed> {
    let fields = value.as_object()?;
    if fields.len() != 2 {
        return None;
    }
    serde_json::from_value(value.clone()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_fields_are_found_at_any_depth_and_nothing_else_is() {
        let key = "00000000-0000-0000-0000-000000000001";
        let sealed = json!({ "key": key, "data": "AA" });
        let mut body = json!({
            "email": sealed,
            "parts": [{ "text": sealed }],
            "settings": { "key": "not an id", "data": "AA" },
            "more": { "key": key, "data": "AA", "third": 1 },
        });
        let names: Vec<_> = sealed_fields(&body)
            .into_iter()
            .map(|found| found.field)
            .collect();
        assert_eq!(names, ["email", "parts.0.text"]);
        abbreviate(&mut body);
        assert_eq!(body["email"], "<sealed>");
        assert_eq!(body["parts"][0]["text"], "<sealed>");
        assert_eq!(body["settings"]["data"], "AA");
        assert_eq!(body["more"]["third"], 1);
    }
}
