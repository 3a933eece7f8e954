//! What happens to a room and its membership.

use serde::{Deserialize, Serialize};

use super::events;
use crate::{
    RoomId, UserId,
    room::{RoomKind, RoomRole, Visibility},
};

events! {
    /// Stream `CHATROOM`, subject `chatroom.<room_id>.<Type>`.
    RoomEvent, ROOM_EVENTS {
        ChatRoomCreated = "ChatRoomCreated" v 1,
        ChatRoomRenamed = "ChatRoomRenamed" v 1,
        ChatRoomDescribed = "ChatRoomDescribed" v 1,
        MemberJoined = "MemberJoined" v 1,
        MemberRemoved = "MemberRemoved" v 1,
        RoomRestricted = "RoomRestricted" v 1,
        RoomDeactivated = "RoomDeactivated" v 1,
        RoomReactivated = "RoomReactivated" v 1,
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
