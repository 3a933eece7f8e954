//! Commands that travel over NATS request/reply from a gateway to any chat instance.
//!
//! The sender is the user whose token the gateway verified; nothing in the frame widens it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ClientMessageId, ErrorCode, FileId, MessageId, RoomId, Timestamp, UserId,
    message::{ContentType, Emoji},
};

/// Subjects of the chat service's endpoints.
pub const SEND_MESSAGES: &str = "command.chat.SendMessages";
pub const CHANGE_MESSAGE: &str = "command.chat.ChangeMessage";
pub const MOVE_READ_MARKER: &str = "command.chat.MoveReadMarker";
/// Queue group that spreads them over the chat instances.
pub const CHAT_QUEUE: &str = "chat";

/// One of the messages of a command, which is answered by [`SentInOrder`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SendMessage {
    pub sender_id: UserId,
    pub room_id: RoomId,
    pub client_message_id: ClientMessageId,
    pub content: String,
    #[serde(default)]
    pub content_type: ContentType,
    pub reply_to: Option<MessageId>,
    #[serde(default)]
    pub mentions: Vec<UserId>,
    #[serde(default)]
    pub file_ids: Vec<FileId>,
}

/// What became of a [`SendMessage`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sent {
    pub message_id: MessageId,
    pub seq: u64,
    pub created_at: Timestamp,
    /// True if an earlier send already stored it.
    pub duplicate: bool,
    pub durability: Durability,
}

/// What became of each message of a command, in their order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SentInOrder {
    pub outcomes: Vec<Reply<Sent>>,
}

/// Changes a message that was sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeMessage {
    pub user_id: UserId,
    pub room_id: RoomId,
    pub message_id: MessageId,
    pub change: MessageChange,
}

/// What somebody does to a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum MessageChange {
    Edit {
        content: String,
        /// None leaves those who were named before.
        mentions: Option<Vec<UserId>>,
    },
    Delete,
    React {
        emoji: Emoji,
    },
    Unreact {
        emoji: Emoji,
    },
    Pin,
    Unpin,
}

/// What became of a [`ChangeMessage`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Changed {
    /// Of the event that made it so, which may be an earlier one.
    pub seq: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MoveReadMarker {
    pub user_id: UserId,
    pub room_id: RoomId,
    pub seq: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReadMarker {
    pub seq: u64,
}

/// What an acknowledgement stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// On the disk of a single node.
    Fsync,
    /// On a majority of replicas, each on disk.
    Replicated,
    /// In the page cache only; somebody started it with that flag.
    Memory,
}

/// Reply to a command over NATS.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "outcome")]
pub enum Reply<T> {
    Accepted(T),
    #[serde(rename_all = "camelCase")]
    Refused {
        code: ErrorCode,
        message: String,
    },
}
