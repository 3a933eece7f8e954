//! Rooms and members as clients see them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{RoomId, Timestamp, UserId, message::Message};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RoomKind {
    #[default]
    Group,
    Direct,
    Bot,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    #[default]
    Private,
    Public,
}

#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum RoomRole {
    #[default]
    Member,
    Admin,
    Owner,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RoomStatus {
    #[default]
    Active,
    Restricted,
    Deactivated,
    Archived,
}

impl RoomStatus {
    /// What a room is that its owner's account leaves so: archived, if the owner archived it.
    #[must_use]
    pub fn or_archived(self, is_archived: bool) -> Self {
        if is_archived { Self::Archived } else { self }
    }
}

/// What clients keep about a room. The server does not read it.
pub type Settings = serde_json::Map<String, serde_json::Value>;

/// `Room` of contract §4, as one member sees it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Room {
    pub id: RoomId,
    pub name: String,
    pub description: Option<String>,
    pub kind: RoomKind,
    pub visibility: Visibility,
    pub owner_id: UserId,
    pub bot_id: Option<UserId>,
    pub settings: Settings,
    pub member_count: u32,
    /// The reader's own role in the room.
    pub role: Option<RoomRole>,
    pub status: RoomStatus,
    pub last_message: Option<Message>,
    pub last_message_at: Option<Timestamp>,
    pub unread_count: u32,
    pub mention_count: u32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A way into a room. The code is shown once.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Invite {
    pub room_id: RoomId,
    pub code: String,
    /// Where a `POST` accepts it.
    pub link: String,
    pub expires_at: Timestamp,
    pub max_uses: Option<u32>,
}

/// Where each room of a person stands.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Sync {
    pub rooms: Vec<RoomSync>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoomSync {
    pub room_id: RoomId,
    /// Which incarnation of the log `head` belongs to.
    pub epoch: String,
    pub head: u64,
    pub read_seq: u64,
    pub unread_count: u32,
    pub mention_count: u32,
    pub last_message: Option<Message>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PresenceState {
    Online,
    Away,
    Offline,
    /// Whoever keeps it does not answer.
    #[default]
    Unknown,
}

/// Whether somebody is there, and when they were last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Presence {
    pub user_id: UserId,
    pub state: PresenceState,
    /// None of somebody who was not seen for a month.
    pub last_seen_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    pub user_id: UserId,
    pub name: String,
    pub picture: Option<String>,
    pub role: RoomRole,
    pub joined_at: Timestamp,
    pub presence: PresenceState,
}
