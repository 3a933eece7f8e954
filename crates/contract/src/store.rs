//! Bookmarks and files as clients see them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    BookmarkId, FileId, MessageId, RoomId, Timestamp, UserId,
    message::{Attachment, ContentType, SenderType},
};

/// A message that somebody keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Bookmark {
    pub id: BookmarkId,
    pub message: KeptMessage,
    pub note: Option<String>,
    pub created_at: Timestamp,
}

/// The part of a [`Message`](crate::message::Message) that a bookmark shows, as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeptMessage {
    pub id: MessageId,
    pub room_id: RoomId,
    pub seq: u64,
    pub sender_id: UserId,
    /// The reader is not in the room any more: what follows is not shown.
    pub hidden: bool,
    pub sender_type: Option<SenderType>,
    pub content: Option<String>,
    pub content_type: Option<ContentType>,
    pub attachments: Vec<Attachment>,
    pub edited_at: Option<Timestamp>,
    pub deleted: bool,
    pub created_at: Option<Timestamp>,
}

/// A file that was uploaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct File {
    pub id: FileId,
    pub name: String,
    pub media_type: String,
    pub size: u64,
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub url: String,
    pub thumbnail_url: Option<String>,
    pub created_at: Timestamp,
}

pub fn url(file: FileId) -> String {
    format!("/api/store/files/{file}")
}

pub fn thumbnail_url(file: FileId) -> String {
    format!("/api/store/files/{file}/thumbnail")
}
