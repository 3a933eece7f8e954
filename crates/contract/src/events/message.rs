//! What happens in a room's timeline. The text is sealed with its author's key.

use serde::{Deserialize, Serialize};

use super::events;
use crate::{
    ClientMessageId, FileId, MessageId, RoomId, Sealed, UserId,
    message::{ContentType, Emoji, SenderType},
};

events! {
    /// Stream `MESSAGE`, subject `message.<shard>.<room_id>.<Type>`.
    MessageEvent, MESSAGE_EVENTS {
        MessageSent = "MessageSent" v 1,
        MessageEdited = "MessageEdited" v 1,
        MessageDeleted = "MessageDeleted" v 1,
        ReactionAdded = "ReactionAdded" v 1,
        ReactionRemoved = "ReactionRemoved" v 1,
        MessagePinned = "MessagePinned" v 1,
        MessageUnpinned = "MessageUnpinned" v 1,
        ReadMarkerMoved = "ReadMarkerMoved" v 1,
        RoomMessagesPurged = "RoomMessagesPurged" v 1,
        MessagesArchived = "MessagesArchived" v 1,
        AuthorErased = "AuthorErased" v 1,
    }
}

impl MessageEvent {
    /// Event types that make up a room's timeline: they count for `prev`, `head` and resuming.
    pub const TIMELINE: &[&str] = &[
        "MessageSent",
        "MessageEdited",
        "MessageDeleted",
        "ReactionAdded",
        "ReactionRemoved",
        "MessagePinned",
        "MessageUnpinned",
    ];
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct MessageSent {
    pub message_id: MessageId,
    pub room_id: RoomId,
    pub sender_id: UserId,
    pub sender_type: SenderType,
    pub content: Sealed,
    pub content_type: ContentType,
    pub client_message_id: ClientMessageId,
    pub reply_to: Option<MessageId>,
    pub mentions: Vec<UserId>,
    /// Files of the sender that belong to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<AttachedFile>,
}

/// A file as it was when it was sent, so that nobody has to ask for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AttachedFile {
    pub file_id: FileId,
    pub name: Sealed,
    pub media_type: String,
    pub size: u64,
    /// Pixels; only pictures have them, and a thumbnail.
    pub width: Option<u32>,
    pub height: Option<u32>,
}

/// The author says something else. The last one counts; after a deletion none does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct MessageEdited {
    pub message_id: MessageId,
    pub room_id: RoomId,
    pub content: Sealed,
    /// Instead of those named before; none leaves them.
    pub mentions: Option<Vec<UserId>>,
}

/// The message is gone for ever, and with it its reactions and its pin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct MessageDeleted {
    pub message_id: MessageId,
    pub room_id: RoomId,
    /// The author, or an admin of the room.
    pub deleted_by: UserId,
}

/// One reaction of one person; the same again changes nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReactionAdded {
    pub message_id: MessageId,
    pub room_id: RoomId,
    pub user_id: UserId,
    pub emoji: Emoji,
}

/// The person takes the reaction back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReactionRemoved {
    pub message_id: MessageId,
    pub room_id: RoomId,
    pub user_id: UserId,
    pub emoji: Emoji,
}

/// An admin of the room puts the message where everybody sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct MessagePinned {
    pub message_id: MessageId,
    pub room_id: RoomId,
    pub pinned_by: UserId,
}

/// An admin of the room takes the pin away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct MessageUnpinned {
    pub message_id: MessageId,
    pub room_id: RoomId,
    pub unpinned_by: UserId,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReadMarkerMoved {
    pub room_id: RoomId,
    pub user_id: UserId,
    /// Everything up to this stream sequence has been read.
    pub seq: u64,
}

/// What was said in a deleted room is taken out of the tables for good. No part of its timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RoomMessagesPurged {
    pub room_id: RoomId,
    /// Everything up to this stream sequence.
    pub through: u64,
}

/// Old messages lie in a file, and no longer in the tables. No part of the room's timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct MessagesArchived {
    pub room_id: RoomId,
    /// Everything up to this stream sequence.
    pub through: u64,
    /// The name of the file in the bucket of archives.
    pub archive: String,
    /// How many events are in it.
    pub events: u64,
}

/// What this person's key had sealed in the room opens no more, so nothing made from it may stay in a
/// table. No part of the room's timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuthorErased {
    pub room_id: RoomId,
    pub user_id: UserId,
}
