//! What people keep: bookmarks and files. Notes and names of files are sealed with their owner's
//! key; the bytes of a file are not in the log.

use serde::{Deserialize, Serialize};

use super::events;
use crate::{BlobId, BookmarkId, FileId, MessageId, RoomId, Sealed, UserId};

events! {
    /// Stream `STORE`, subject `bookmark.<user_id>.<Type>`.
    BookmarkEvent, BOOKMARK_EVENTS {
        BookmarkSaved = "BookmarkSaved" v 1,
        BookmarkRemoved = "BookmarkRemoved" v 1,
    }
}

events! {
    /// Stream `STORE`, subject `file.<file_id>.<Type>`.
    FileEvent, FILE_EVENTS {
        FileStored = "FileStored" v 1,
        FileRemoved = "FileRemoved" v 1,
    }
}

/// Somebody keeps a message for themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct BookmarkSaved {
    pub bookmark_id: BookmarkId,
    pub user_id: UserId,
    pub message_id: MessageId,
    pub room_id: RoomId,
    /// Who wrote the message.
    pub sender_id: UserId,
    /// Where the message lies in `MESSAGE`.
    pub seq: u64,
    pub note: Option<Sealed>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct BookmarkRemoved {
    pub bookmark_id: BookmarkId,
    pub user_id: UserId,
}

/// A file's bytes lie in the file store, all of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct FileStored {
    pub file_id: FileId,
    pub uploader_id: UserId,
    /// Under which the file store has the bytes.
    pub blob_id: BlobId,
    pub name: Sealed,
    /// What its bytes are, whatever was claimed.
    pub media_type: String,
    /// Bytes, as they are handed out.
    pub size: u64,
    /// Pixels; only pictures have them, and a thumbnail.
    pub width: Option<u32>,
    pub height: Option<u32>,
}

/// Nobody gets the file any more; its bytes are deleted after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct FileRemoved {
    pub file_id: FileId,
    pub uploader_id: UserId,
    pub blob_id: BlobId,
    pub size: u64,
}
