//! From a stored event to the frame that sockets get.

use axum::extract::ws::Utf8Bytes;
use doran_contract::{
    events::{MESSAGE_EVENTS, MessageEvent, MessageSent},
    frame::ServerFrame,
    message::Message,
};
use doran_eventstore::{DecodeError, Recorded};
use doran_platform::{
    event_schema,
    keyring::{Keyring, KeyringError, OpenFieldError, Place},
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

    /// The message as clients see it. Fails only while keys cannot be had.
    pub(super) async fn open(
        &self,
        recorded: &Recorded,
        sent: MessageSent,
    ) -> Result<Message, KeyringError> {
        let place = Place {
            subject: &recorded.subject,
            event_id: recorded.event_id,
            field: "content",
        };
        let content = match self.keyring.open_field(place, &sent.content).await {
            Ok(opened) => opened.into_text(),
            Err(OpenFieldError::Keyring(error @ KeyringError::Unavailable(_))) => {
                return Err(error);
            }
            // It never opens, however often it is tried: shown as a message without text.
            Err(error) => {
                let (stream, sequence) = (&*recorded.stream, recorded.sequence);
                tracing::error!(%error, stream, sequence, "a message cannot be opened");
                None
            }
        };
        Ok(Message::sent(
            sent,
            recorded.sequence,
            recorded.time.into(),
            content,
        ))
    }
}

/// A frame as text that many sockets can share.
pub(crate) fn text(frame: &ServerFrame) -> Utf8Bytes {
    let json = serde_json::to_string(frame).expect("frames are made of plain data");
    json.into()
}

pub(super) fn message(message: Message, prev: u64) -> ServerFrame {
    ServerFrame::Message {
        room_id: message.room_id,
        seq: message.seq,
        prev,
        message,
    }
}

pub(super) fn decode(recorded: &Recorded) -> Result<MessageEvent, DecodeError> {
    recorded.decode(&event_schema(MESSAGE_EVENTS))
}
