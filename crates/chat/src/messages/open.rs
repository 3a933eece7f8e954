//! Opening messages for those who may read them.

use std::collections::{HashMap, HashSet};

use doran_contract::{
    Timestamp,
    events::{MESSAGE_EVENTS, MessageEvent, MessageSent},
    message::Message,
    subject,
};
use doran_eventstore::Recorded;
use doran_platform::{
    event_schema,
    http::Refusal,
    keyring::{DataKey, Keyring, OpenFieldError, Place},
};
use futures_util::future::try_join_all;
use serde::Deserialize;
use sqlx::types::Uuid;

/// A message as the read model has it: its event, and where that lies.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sealed {
    #[serde(flatten)]
    event: MessageSent,
    event_id: Uuid,
    seq: u64,
    created_at: Timestamp,
}

#[derive(Debug, thiserror::Error)]
#[error("event {0} is not a message")]
struct NotAMessage(u64);

impl Sealed {
    pub(crate) fn seq(&self) -> u64 {
        self.seq
    }

    fn open(self, key: Option<&DataKey>) -> Result<Message, OpenFieldError> {
        let subject = subject::message(self.event.room_id, "MessageSent");
        let place = Place {
            subject: &subject,
            event_id: self.event_id,
            field: "content",
        };
        let content = key
            .map(|key| key.open(place, &self.event.content))
            .transpose()?;
        Ok(Message::sent(
            self.event,
            self.seq,
            self.created_at,
            content,
        ))
    }
}

/// Opens messages in their order, asking once for each author's key.
pub(crate) async fn open_all(
    keyring: &Keyring,
    messages: Vec<Sealed>,
) -> Result<Vec<Message>, OpenFieldError> {
    let authors: HashSet<_> = messages.iter().map(|m| m.event.content.key).collect();
    let keys = authors
        .into_iter()
        .map(async |author| Ok::<_, OpenFieldError>((author, keyring.key(author).await?)));
    let keys: HashMap<_, _> = try_join_all(keys).await?.into_iter().collect();
    messages
        .into_iter()
        .map(|message| {
            let key = keys
                .get(&message.event.content.key)
                .and_then(Option::as_ref);
            message.open(key)
        })
        .collect()
}

/// Opens a message as the log has it.
pub(crate) async fn open_recorded(
    keyring: &Keyring,
    recorded: &Recorded,
) -> Result<Message, Refusal> {
    let event = recorded
        .decode::<MessageEvent>(&event_schema(MESSAGE_EVENTS))
        .map_err(|error| Refusal::internal(&error))?;
    let MessageEvent::MessageSent(event) = event else {
        return Err(Refusal::internal(&NotAMessage(recorded.sequence)));
    };
    let key = keyring.key(event.content.key).await?;
    let sealed = Sealed {
        event,
        event_id: recorded.event_id,
        seq: recorded.sequence,
        created_at: recorded.time.into(),
    };
    Ok(sealed.open(key.as_ref())?)
}
