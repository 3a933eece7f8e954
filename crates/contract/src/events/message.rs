//! What happens in a room's timeline. The text is sealed with its author's key.

use serde::{Deserialize, Serialize};

use super::events;
use crate::{
    ClientMessageId, MessageId, RoomId, Sealed, UserId,
    message::{ContentType, SenderType},
};

events! {
    /// Stream `MESSAGE`, subject `message.<shard>.<room_id>.<Type>`.
    MessageEvent, MESSAGE_EVENTS {
        MessageSent = "MessageSent" v 1,
        ReadMarkerMoved = "ReadMarkerMoved" v 1,
    }
}

impl MessageEvent {
    /// Event types that make up a room's timeline: they count for `prev`, `head` and resuming.
    pub const TIMELINE: &[&str] = &["MessageSent"];
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
