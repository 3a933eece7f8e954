//! From a stored event to the frame that sockets get.

use std::collections::HashSet;

use axum::extract::ws::Utf8Bytes;
use doran_contract::{
    MessageId, Sealed, Timestamp,
    events::{AttachedFile, MESSAGE_EVENTS, MessageEvent},
    frame::ServerFrame,
    message::{Attachment, Message},
};
use doran_eventstore::{DecodeError, Recorded};
use doran_platform::{
    attachments::open_attachments,
    event_schema,
    keyring::{Keyring, KeyringError, OpenFieldError, Opened as Opening, Place},
};

/// Opens messages. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Renderer {
    keyring: Keyring,
}

impl Renderer {
    pub(super) fn new(keyring: Keyring) -> Self {
        Self { keyring }
    }

    /// The event with its text opened. Fails only while keys cannot be had.
    pub(super) async fn open(
        &self,
        recorded: &Recorded,
        event: MessageEvent,
    ) -> Result<Opened, KeyringError> {
        let mut attachments = Vec::new();
        let content = match &event {
            MessageEvent::MessageSent(sent) => {
                attachments = self.attachments(recorded, &sent.attachments).await?;
                self.text(recorded, &sent.content).await?
            }
            MessageEvent::MessageEdited(edited) => self.text(recorded, &edited.content).await?,
            MessageEvent::MessageDeleted(_)
            | MessageEvent::ReactionAdded(_)
            | MessageEvent::ReactionRemoved(_)
            | MessageEvent::MessagePinned(_)
            | MessageEvent::MessageUnpinned(_)
            | MessageEvent::ReadMarkerMoved(_)
            | MessageEvent::RoomMessagesPurged(_)
            | MessageEvent::MessagesArchived(_)
            | MessageEvent::AuthorErased(_) => None,
        };
        Ok(Opened {
            event,
            content,
            attachments,
            seq: recorded.sequence,
            time: recorded.time.into(),
        })
    }

    async fn text(
        &self,
        recorded: &Recorded,
        sealed: &Sealed,
    ) -> Result<Option<String>, KeyringError> {
        let place = Place {
            subject: &recorded.subject,
            event_id: recorded.event_id,
            field: "content",
        };
        let opened = self.keyring.open_field(place, sealed).await;
        unless_damaged(recorded, opened.map(Opening::into_text))
    }

    async fn attachments(
        &self,
        recorded: &Recorded,
        files: &[AttachedFile],
    ) -> Result<Vec<Attachment>, KeyringError> {
        let (subject, event_id) = (&recorded.subject, recorded.event_id);
        let opened = open_attachments(&self.keyring, subject, event_id, files).await;
        unless_damaged(recorded, opened)
    }
}

/// What never opens, however often it is tried, is shown as nothing.
fn unless_damaged<T: Default>(
    recorded: &Recorded,
    opened: Result<T, OpenFieldError>,
) -> Result<T, KeyringError> {
    match opened {
        Ok(opened) => Ok(opened),
        Err(OpenFieldError::Keyring(error @ KeyringError::Unavailable(_))) => Err(error),
        Err(error) => {
            let (stream, sequence) = (&*recorded.stream, recorded.sequence);
            tracing::error!(%error, stream, sequence, "a message cannot be opened");
            Ok(T::default())
        }
    }
}

/// An event whose text has been opened.
pub(crate) struct Opened {
    pub(super) event: MessageEvent,
    pub(super) content: Option<String>,
    /// Files of the message that it sends.
    pub(super) attachments: Vec<Attachment>,
    pub(super) seq: u64,
    pub(super) time: Timestamp,
}

impl Opened {
    /// The message that it sends, if it sends one.
    pub(super) fn sent(&self) -> Option<MessageId> {
        match &self.event {
            MessageEvent::MessageSent(sent) => Some(sent.message_id),
            MessageEvent::MessageEdited(_)
            | MessageEvent::MessageDeleted(_)
            | MessageEvent::ReactionAdded(_)
            | MessageEvent::ReactionRemoved(_)
            | MessageEvent::MessagePinned(_)
            | MessageEvent::MessageUnpinned(_)
            | MessageEvent::ReadMarkerMoved(_)
            | MessageEvent::RoomMessagesPurged(_)
            | MessageEvent::MessagesArchived(_)
            | MessageEvent::AuthorErased(_) => None,
        }
    }

    /// As it is told when these messages have been deleted since.
    pub(super) fn without_text_of(self, deleted: &HashSet<MessageId>) -> Self {
        let message = match &self.event {
            MessageEvent::MessageSent(sent) => sent.message_id,
            MessageEvent::MessageEdited(edited) => edited.message_id,
            MessageEvent::MessageDeleted(_)
            | MessageEvent::ReactionAdded(_)
            | MessageEvent::ReactionRemoved(_)
            | MessageEvent::MessagePinned(_)
            | MessageEvent::MessageUnpinned(_)
            | MessageEvent::ReadMarkerMoved(_)
            | MessageEvent::RoomMessagesPurged(_)
            | MessageEvent::MessagesArchived(_)
            | MessageEvent::AuthorErased(_) => return self,
        };
        if !deleted.contains(&message) {
            return self;
        }
        Self {
            content: None,
            attachments: Vec::new(),
            ..self
        }
    }

    /// What subscribers get, if it concerns them. `prev` is the timeline's event before it.
    pub(super) fn frame(self, prev: u64) -> Option<ServerFrame> {
        let Self {
            event,
            content,
            attachments,
            seq,
            time,
        } = self;
        let reaction = |room_id, message_id, emoji, user_id, on| ServerFrame::Reaction {
            room_id,
            seq,
            prev,
            message_id,
            emoji,
            user_id,
            on,
        };
        let pinned = |room_id, message_id, user_id, on| ServerFrame::Pinned {
            room_id,
            seq,
            prev,
            message_id,
            user_id,
            on,
        };
        Some(match event {
            MessageEvent::MessageSent(sent) => ServerFrame::Message {
                room_id: sent.room_id,
                seq,
                prev,
                message: Message::sent(sent, (seq, time), content, attachments),
            },
            MessageEvent::MessageEdited(edited) => ServerFrame::MessageEdited {
                room_id: edited.room_id,
                seq,
                prev,
                message_id: edited.message_id,
                content,
                mentions: edited.mentions,
                edited_at: time,
            },
            MessageEvent::MessageDeleted(deleted) => ServerFrame::MessageDeleted {
                room_id: deleted.room_id,
                seq,
                prev,
                message_id: deleted.message_id,
                user_id: deleted.deleted_by,
            },
            MessageEvent::ReactionAdded(by) => {
                reaction(by.room_id, by.message_id, by.emoji, by.user_id, true)
            }
            MessageEvent::ReactionRemoved(by) => {
                reaction(by.room_id, by.message_id, by.emoji, by.user_id, false)
            }
            MessageEvent::MessagePinned(by) => {
                pinned(by.room_id, by.message_id, by.pinned_by, true)
            }
            MessageEvent::MessageUnpinned(by) => {
                pinned(by.room_id, by.message_id, by.unpinned_by, false)
            }
            MessageEvent::ReadMarkerMoved(moved) => ServerFrame::Read {
                room_id: moved.room_id,
                user_id: moved.user_id,
                seq: moved.seq,
            },
            // What becomes of the tables is no matter of a room that goes on.
            MessageEvent::RoomMessagesPurged(_)
            | MessageEvent::MessagesArchived(_)
            | MessageEvent::AuthorErased(_) => return None,
        })
    }
}

/// A frame as text that many sockets can share.
pub(crate) fn text(frame: &ServerFrame) -> Utf8Bytes {
    let json = serde_json::to_string(frame).expect("frames are made of plain data");
    json.into()
}

pub(super) fn decode(recorded: &Recorded) -> Result<MessageEvent, DecodeError> {
    recorded.decode(&event_schema(MESSAGE_EVENTS))
}
