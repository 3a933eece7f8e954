//! What happens to a room and its membership.

use serde::{Deserialize, Serialize};

use super::events;
use crate::{
    RoomId, Timestamp, UserId,
    room::{RoomKind, RoomRole, Settings, Visibility},
};

events! {
    /// Stream `CHATROOM`, subject `chatroom.<room_id>.<Type>`.
    RoomEvent, ROOM_EVENTS {
        ChatRoomCreated = "ChatRoomCreated" v 1,
        ChatRoomRenamed = "ChatRoomRenamed" v 1,
        ChatRoomDescribed = "ChatRoomDescribed" v 1,
        ChatRoomVisibilityChanged = "ChatRoomVisibilityChanged" v 1,
        ChatRoomSettingsChanged = "ChatRoomSettingsChanged" v 1,
        ChatRoomArchived = "ChatRoomArchived" v 1,
        ChatRoomUnarchived = "ChatRoomUnarchived" v 1,
        ChatRoomDeleted = "ChatRoomDeleted" v 1,
        MemberJoined = "MemberJoined" v 1,
        MemberRemoved = "MemberRemoved" v 1,
        MemberRoleChanged = "MemberRoleChanged" v 1,
        MemberBanned = "MemberBanned" v 1,
        MemberUnbanned = "MemberUnbanned" v 1,
        InviteCreated = "InviteCreated" v 1,
        RoomRestricted = "RoomRestricted" v 1,
        RoomDeactivated = "RoomDeactivated" v 1,
        RoomReactivated = "RoomReactivated" v 1,
    }
}

impl RoomEvent {
    /// The room that it happened to.
    pub fn room_id(&self) -> RoomId {
        match self {
            Self::ChatRoomCreated(event) => event.room_id,
            Self::ChatRoomRenamed(event) => event.room_id,
            Self::ChatRoomDescribed(event) => event.room_id,
            Self::ChatRoomVisibilityChanged(event) => event.room_id,
            Self::ChatRoomSettingsChanged(event) => event.room_id,
            Self::ChatRoomArchived(event) => event.room_id,
            Self::ChatRoomUnarchived(event) => event.room_id,
            Self::ChatRoomDeleted(event) => event.room_id,
            Self::MemberJoined(event) => event.room_id,
            Self::MemberRemoved(event) => event.room_id,
            Self::MemberRoleChanged(event) => event.room_id,
            Self::MemberBanned(event) => event.room_id,
            Self::MemberUnbanned(event) => event.room_id,
            Self::InviteCreated(event) => event.room_id,
            Self::RoomRestricted(event) => event.room_id,
            Self::RoomDeactivated(event) => event.room_id,
            Self::RoomReactivated(event) => event.room_id,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChatRoomCreated {
    pub room_id: RoomId,
    pub name: String,
    pub description: Option<String>,
    pub kind: RoomKind,
    pub visibility: Visibility,
    pub owner_id: UserId,
    /// The bot that answers in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot_id: Option<UserId>,
    /// Everyone who is in the room from the start, the owner first.
    pub members: Vec<FirstMember>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct FirstMember {
    pub user_id: UserId,
    pub role: RoomRole,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChatRoomRenamed {
    pub room_id: RoomId,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChatRoomDescribed {
    pub room_id: RoomId,
    pub description: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct MemberJoined {
    pub room_id: RoomId,
    pub user_id: UserId,
    pub role: RoomRole,
    /// Who added them; none if they came by themselves.
    pub added_by: Option<UserId>,
    /// The key of the invite by which they came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invite_key: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct MemberRemoved {
    pub room_id: RoomId,
    pub user_id: UserId,
    /// Who removed them; none if they left by themselves.
    pub removed_by: Option<UserId>,
}

/// The owner's account rests, so nothing new happens in the room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RoomRestricted {
    pub room_id: RoomId,
    pub because: OwnerChange,
}

/// The owner's account is suspended, so nothing new happens in the room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RoomDeactivated {
    pub room_id: RoomId,
    pub because: OwnerChange,
}

/// What the owner's account had done to the room is undone, and nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RoomReactivated {
    pub room_id: RoomId,
    pub because: OwnerChange,
}

/// The change of the owner's account that a room follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OwnerChange {
    pub user_id: UserId,
    /// Where the change lies in `USER`.
    pub sequence: u64,
}

/// From now on anybody may join, or nobody uninvited.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChatRoomVisibilityChanged {
    pub room_id: RoomId,
    pub visibility: Visibility,
}

/// What clients keep about the room, as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChatRoomSettingsChanged {
    pub room_id: RoomId,
    pub settings: Settings,
}

/// Nothing changes in the room any more, until it is unarchived.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChatRoomArchived {
    pub room_id: RoomId,
    pub archived_by: UserId,
}

/// The room is used again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChatRoomUnarchived {
    pub room_id: RoomId,
    pub unarchived_by: UserId,
}

/// There is no such room any more, and nobody is in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChatRoomDeleted {
    pub room_id: RoomId,
    pub deleted_by: UserId,
}

/// A member is made an admin, or an admin a member; or either the owner, whose account is deleted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct MemberRoleChanged {
    pub room_id: RoomId,
    pub user_id: UserId,
    pub role: RoomRole,
    pub changed_by: UserId,
}

/// Somebody is out of the room, if they were in it, and cannot come in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct MemberBanned {
    pub room_id: RoomId,
    pub user_id: UserId,
    pub banned_by: UserId,
}

/// Somebody may come in again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct MemberUnbanned {
    pub room_id: RoomId,
    pub user_id: UserId,
    pub unbanned_by: UserId,
}

/// Who has the code may come in. The log has a keyed hash of it only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct InviteCreated {
    pub room_id: RoomId,
    pub invite_key: String,
    pub created_by: UserId,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// None: as many as like.
    pub max_uses: Option<u32>,
}
