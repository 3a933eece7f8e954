//! A person's settings: any JSON object, sealed in the log. The newest event has them whole.

use doran_contract::{
    UserId,
    events::{USER_EVENTS, UserEvent},
    subject,
};
use doran_eventstore::event_id;
use doran_platform::{event_schema, http::Refusal, keyring::Place};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    state::Service,
    user::{Command, Error},
};

const EVENT_TYPE: &str = "UserSettingsChanged";
const FIELD: &str = "settings";
/// The setting that is shown beside the person.
const COACH_CHECK: &str = "coachCheck";

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(transparent)]
pub(crate) struct Settings(#[garde(skip)] Map<String, Value>);

/// An event that lies where settings lie, and has none.
#[derive(Debug, thiserror::Error)]
#[error("USER:{0} holds no settings")]
struct NoSettings(u64);

impl Settings {
    /// As the log has them now; the default for somebody who never set any.
    pub(crate) async fn of(service: &Service, user: UserId) -> Result<Self, Refusal> {
        let last = service.log.last(&subject::user(user, EVENT_TYPE)).await?;
        let Some(last) = last else {
            return Ok(Self::default());
        };
        let event = last.decode::<UserEvent>(&event_schema(USER_EVENTS));
        let Ok(UserEvent::UserSettingsChanged(changed)) = event else {
            return Err(Refusal::internal(&NoSettings(last.sequence)));
        };
        let keyring = &service.platform.keyring;
        let key = keyring.key(changed.settings.key).await?;
        let key = key.ok_or(Error::NotFound)?;
        let text = key.open(place(&last.subject, last.event_id), &changed.settings);
        let text = text.map_err(|error| Refusal::internal(&error))?;
        serde_json::from_str(&text).map_err(|error| Refusal::internal(&error))
    }

    /// The command that makes them the person's.
    pub(crate) async fn seal(
        &self,
        service: &Service,
        user: UserId,
        command_id: Uuid,
    ) -> Result<Command, Refusal> {
        let subject = subject::user(user, EVENT_TYPE);
        let key = service.platform.keyring.key(user).await?;
        let key = key.ok_or(Error::NotFound)?;
        let place = place(&subject, event_id(command_id, 0));
        Ok(Command::ChangeSettings {
            settings: key.seal(place, &self.text()),
            coach_check: self.0.get(COACH_CHECK) == Some(&Value::Bool(true)),
        })
    }

    /// Their JSON without spaces.
    pub(crate) fn text(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }
}

fn place(subject: &str, event_id: Uuid) -> Place<'_> {
    Place {
        subject,
        event_id,
        field: FIELD,
    }
}
