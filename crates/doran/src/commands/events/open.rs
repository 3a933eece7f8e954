//! Opening the sealed fields of an event, wherever in its body they stand.

use anyhow::Result;
use async_nats::jetstream;
use doran_eventstore::Recorded;
use doran_platform::{
    Config,
    keyring::{Keyring, OpenFieldError, Opened, Place},
    sealed_fields::sealed_fields,
    secret::{MasterKey, SecretError},
};
use serde_json::{Value, json};

use crate::exit::dependency;

/// Holds the keys.
pub(super) struct Opener(Keyring);

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_fields_are_marked_at_any_depth_and_nothing_else_is() {
        let key = "00000000-0000-0000-0000-000000000001";
        let sealed = json!({ "key": key, "data": "AA" });
        let mut body = json!({
            "email": sealed,
            "parts": [{ "text": sealed }],
            "settings": { "key": "not an id", "data": "AA" },
            "more": { "key": key, "data": "AA", "third": 1 },
        });
        abbreviate(&mut body);
        assert_eq!(body["email"], "<sealed>");
        assert_eq!(body["parts"][0]["text"], "<sealed>");
        assert_eq!(body["settings"]["data"], "AA");
        assert_eq!(body["more"]["third"], 1);
    }
}
