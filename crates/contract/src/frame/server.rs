//! What the server sends.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{MAX_NOTICE_CHARS, ShownState};
use crate::{
    ErrorCode, MessageId, RoomId, SessionId, Timestamp, UserId,
    bot::BotDelta,
    command::Durability,
    message::{Emoji, HistoryPage, Message},
    room::{Member, Presence, Room, RoomRole},
    user::User,
};

/// A frame from the server.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum ServerFrame {
    /// The first frame, before anybody has logged in.
    Hello {
        /// Of the protocol.
        version: u32,
        /// The socket's name in the server's logs.
        connection: String,
        /// How often the server pings a socket from which it hears nothing.
        ping_ms: u64,
        /// Bytes of a frame that the client may send at most.
        max_frame: usize,
        /// Frames of the client that may be under way; beyond it the server stops reading.
        max_in_flight: usize,
        /// Events that a `subscribe` with `since` replays at most.
        resume_max: usize,
    },
    /// What was asked for is done.
    Ok {
        /// Of the client's frame.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        #[serde(flatten)]
        answer: OkAnswer,
    },
    /// Somebody said something in a subscribed room.
    Message {
        room_id: RoomId,
        seq: u64,
        /// `seq` of the room's event before it, of whatever type; 0 for the first. Who has seen
        /// another one last has missed something.
        prev: u64,
        message: Message,
    },
    /// A message has another content.
    MessageEdited {
        room_id: RoomId,
        seq: u64,
        prev: u64,
        message_id: MessageId,
        /// Null if the author's key is gone, or the message was deleted since.
        content: Option<String>,
        /// The people whom it names now; null: those who were named before.
        mentions: Option<Vec<UserId>>,
        edited_at: Timestamp,
    },
    /// A message was deleted.
    MessageDeleted {
        room_id: RoomId,
        seq: u64,
        prev: u64,
        message_id: MessageId,
        /// Who deleted it.
        user_id: UserId,
    },
    /// Somebody added an emoji to a message, or took it away.
    Reaction {
        room_id: RoomId,
        seq: u64,
        prev: u64,
        message_id: MessageId,
        emoji: Emoji,
        user_id: UserId,
        /// Whether it was added.
        on: bool,
    },
    /// Somebody pinned a message, or unpinned it.
    Pinned {
        room_id: RoomId,
        seq: u64,
        prev: u64,
        message_id: MessageId,
        user_id: UserId,
        /// Whether it is pinned now.
        on: bool,
    },
    /// After a `subscribe`: what was missed has come, and from here on it is live.
    CaughtUp {
        room_id: RoomId,
        /// Of the room's newest event so far; 0 if it has none.
        seq: u64,
    },
    /// Somebody types in a subscribed room, or has stopped. Left out where the client reads slowly.
    Typing {
        room_id: RoomId,
        user_id: UserId,
        /// Whether they type.
        on: bool,
    },
    /// Somebody who shares a subscribed room came or went. Left out where the client reads slowly.
    Presence(Presence),
    /// A piece of what a bot is about to say.
    BotDelta(BotDelta),
    /// The log has the message.
    Ack {
        /// Of the client's frame.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        message_id: MessageId,
        seq: u64,
        created_at: Timestamp,
        /// Whether it was stored before, under the same `clientMessageId`; the rest is of that one.
        duplicate: bool,
        durability: Durability,
    },
    /// Somebody has read a subscribed room.
    Read {
        room_id: RoomId,
        user_id: UserId,
        /// Up to here.
        seq: u64,
    },
    /// What the user has not read of a room, subscribed or not.
    Unread {
        room_id: RoomId,
        unread_count: u32,
        /// Of these, messages that name the user.
        mention_count: u32,
        /// The user's read marker.
        read_seq: u64,
    },
    /// One of the user's rooms has changed, subscribed or not.
    Room {
        room_id: RoomId,
        change: RoomChange,
        room: Box<Room>,
    },
    /// Who is in one of the user's rooms has changed, subscribed or not.
    Member {
        room_id: RoomId,
        change: MemberChange,
        member: Member,
    },
    /// What the operators say to everybody who is connected.
    Notice(Notice),
    /// What was asked for is not done, or what came is not a frame.
    Error {
        /// Of the client's frame, if it has one.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        code: ErrorCode,
        /// For people, in English.
        message: String,
        /// Whether the same frame may succeed later.
        retryable: bool,
        /// How long to wait before that.
        #[serde(skip_serializing_if = "Option::is_none")]
        after_ms: Option<u64>,
    },
    /// The server is there.
    Pong {
        /// Of the client's frame.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
    },
}

/// A word of the operators. It is kept nowhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Notice {
    /// One line of text, for people.
    pub message: String,
    /// When it was said.
    pub at: Timestamp,
}

impl Notice {
    /// Whether it is as short as it has to be.
    pub fn fits(&self) -> bool {
        self.message.chars().count() <= MAX_NOTICE_CHARS
    }
}

/// What an `ok` frame carries beside the id. Requests name the title in `x-answer`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub enum OkAnswer {
    /// Answers `auth` and `reauth`. A ticket on the URL logs in without being asked, so that this
    /// comes without an `id`.
    #[schemars(title = "okAuthenticated")]
    Authenticated {
        user: User,
        session_id: SessionId,
        /// When the token expires, and with it the socket unless `reauth` comes before.
        expires_at: Timestamp,
    },
    /// Answers `subscribe`.
    #[schemars(title = "okSubscribed")]
    Subscribed {
        room_id: RoomId,
        /// Which incarnation of the log the room's sequences belong to.
        epoch: String,
        /// `seq` of the room's newest event; 0 if it has none.
        head: u64,
        /// Whether every event after `since` follows before `caughtUp`. With false nothing is
        /// replayed: load a page over HTTP and subscribe again.
        complete: bool,
        /// Only where it is not complete.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<Incomplete>,
        /// The user's own.
        role: RoomRole,
        /// The user's read marker.
        read_seq: u64,
    },
    /// Answers `unsubscribe`.
    #[schemars(title = "okUnsubscribed")]
    Unsubscribed { room_id: RoomId },
    /// Answers `read`.
    #[schemars(title = "okRead")]
    Read { room_id: RoomId, seq: u64 },
    /// Answers `edit`, `delete`, `react`, `unreact`, `pin` and `unpin`.
    #[schemars(title = "okChanged")]
    Changed {
        room_id: RoomId,
        message_id: MessageId,
        /// Of the event that made it so, which may be an earlier one.
        seq: u64,
    },
    /// Answers `typing`.
    #[schemars(title = "okTyping")]
    Typing { room_id: RoomId, on: bool },
    /// Answers `presence`.
    #[schemars(title = "okPresence")]
    Presence { state: ShownState },
    /// Answers `history`.
    #[schemars(title = "okHistory")]
    History {
        room_id: RoomId,
        #[serde(flatten)]
        page: HistoryPage,
    },
}

/// Why a resume replays nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Incomplete {
    /// `since` is of another incarnation of the log.
    Epoch,
    /// More than `resumeMax` events were missed.
    TooFar,
    /// Part of what was missed could not be read.
    Gap,
}

/// What is different about a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum RoomChange {
    Created,
    Renamed,
    Described,
    Visibility,
    Settings,
    Archived,
    Unarchived,
    Deleted,
    Restricted,
    Deactivated,
    Reactivated,
}

/// What became of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum MemberChange {
    Joined,
    Left,
    Removed,
    Banned,
    Role,
}
