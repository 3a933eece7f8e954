//! Opening messages for those who may read them.

use std::collections::{HashMap, HashSet};

use doran_contract::{
    ClientMessageId, MessageId, RoomId, Timestamp, UserId,
    events::{AttachedFile, MESSAGE_EVENTS, MessageEvent, MessageSent},
    message::{Attachment, ContentType, Message, Reaction, SenderType},
    subject,
};
use doran_eventstore::{Recorded, event_id};
use doran_platform::{
    attachments::{open_attachments, opened_with},
    event_schema,
    http::Refusal,
    keyring::{DataKey, Keyring, OpenFieldError, Place},
};
use futures_util::future::try_join_all;
use serde::Deserialize;
use sqlx::types::Uuid;

/// A message as the read model has it, as one person sees it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sealed {
    message_id: MessageId,
    room_id: RoomId,
    sender_id: UserId,
    sender_type: SenderType,
    /// None if the message was deleted.
    content: Option<doran_contract::Sealed>,
    content_type: ContentType,
    client_message_id: ClientMessageId,
    reply_to: Option<MessageId>,
    mentions: Vec<UserId>,
    attachments: Vec<AttachedFile>,
    reactions: Vec<Reaction>,
    pinned: bool,
    deleted: bool,
    seq: u64,
    created_at: Timestamp,
    edited_at: Option<Timestamp>,
    /// Of the event that wrote the content.
    event_id: Uuid,
}

#[derive(Debug, thiserror::Error)]
#[error("event {0} is not a message")]
struct NotAMessage(u64);

impl Sealed {
    pub(crate) fn seq(&self) -> u64 {
        self.seq
    }

    fn author(&self) -> Option<UserId> {
        self.content.as_ref().map(|content| content.key)
    }

    fn open(self, key: Option<&DataKey>) -> Result<Message, OpenFieldError> {
        let written_by = match self.edited_at {
            None => "MessageSent",
            Some(_) => "MessageEdited",
        };
        let place = Place {
            subject: &subject::message(self.room_id, written_by),
            event_id: self.event_id,
            field: "content",
        };
        let content = match (key, &self.content) {
            (Some(key), Some(content)) => Some(key.open(place, content)?),
            (None, _) | (_, None) => None,
        };
        let attachments = match key {
            Some(key) if !self.attachments.is_empty() => {
                let subject = subject::message(self.room_id, "MessageSent");
                // An edit leaves the files: their names open in what was sent.
                let sent = event_id(self.message_id.as_uuid(), 0);
                opened_with(key, &subject, sent, &self.attachments)?
            }
            _nothing_to_open => Vec::new(),
        };
        Ok(self.message(content, attachments))
    }

    fn message(self, content: Option<String>, attachments: Vec<Attachment>) -> Message {
        Message {
            id: self.message_id,
            room_id: self.room_id,
            seq: self.seq,
            sender_id: self.sender_id,
            sender_type: self.sender_type,
            deleted: self.deleted || content.is_none(),
            content,
            content_type: self.content_type,
            client_message_id: self.client_message_id,
            reply_to: self.reply_to,
            attachments,
            mentions: self.mentions,
            reactions: self.reactions,
            pinned: self.pinned,
            edited_at: self.edited_at,
            created_at: self.created_at,
        }
    }

    /// As it is, whatever it says.
    #[cfg(test)]
    pub(crate) fn without_text(self) -> Message {
        self.message(Some(String::new()), Vec::new())
    }
}

/// Opens messages in their order, asking once for each author's key.
pub(crate) async fn open_all(
    keyring: &Keyring,
    messages: Vec<Sealed>,
) -> Result<Vec<Message>, OpenFieldError> {
    let authors: HashSet<_> = messages.iter().filter_map(Sealed::author).collect();
    let keys = authors
        .into_iter()
        .map(async |author| Ok::<_, OpenFieldError>((author, keyring.key(author).await?)));
    let keys: HashMap<_, _> = try_join_all(keys).await?.into_iter().collect();
    messages
        .into_iter()
        .map(|message| {
            let author = message.author();
            let key = author.and_then(|author| keys.get(&author));
            message.open(key.and_then(Option::as_ref))
        })
        .collect()
}

/// What the log has at the place of a message.
pub(crate) fn sent(recorded: &Recorded) -> Result<MessageSent, Refusal> {
    let event = recorded
        .decode::<MessageEvent>(&event_schema(MESSAGE_EVENTS))
        .map_err(|error| Refusal::internal(&error))?;
    match event {
        MessageEvent::MessageSent(sent) => Ok(sent),
        _ => Err(Refusal::internal(&NotAMessage(recorded.sequence))),
    }
}

/// Opens a message as the log has it: as it was sent.
pub(crate) async fn open_recorded(
    keyring: &Keyring,
    recorded: &Recorded,
) -> Result<Message, Refusal> {
    let sent = sent(recorded)?;
    let place = Place {
        subject: &recorded.subject,
        event_id: recorded.event_id,
        field: "content",
    };
    let content = keyring.open_field(place, &sent.content).await?.into_text();
    let (subject, event_id) = (&recorded.subject, recorded.event_id);
    let attachments = open_attachments(keyring, subject, event_id, &sent.attachments).await?;
    let at = (recorded.sequence, recorded.time.into());
    Ok(Message::sent(sent, at, content, attachments))
}
