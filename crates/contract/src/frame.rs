//! Frames of the native WebSocket protocol `doran.v1`: one JSON object a text frame.

use serde::{Deserialize, Serialize};

use crate::{
    ClientMessageId, ErrorCode, FileId, MessageId, RoomId, SessionId, Timestamp, UserId,
    bot::BotDelta,
    command::Durability,
    message::{Emoji, HistoryPage, Message},
    room::{Member, Presence, Room, RoomRole},
    user::User,
};

/// The WebSocket subprotocol.
pub const SUBPROTOCOL: &str = "doran.v1";
/// Bytes that a client's frame may have at most.
pub const MAX_FRAME_BYTES: usize = 64 * 1024;
/// Frames of one socket that may be under way at once.
pub const MAX_IN_FLIGHT: usize = 32;
/// Events that a resume replays at most; beyond it the answer is `tooFar`.
pub const RESUME_MAX: usize = 500;

/// A place in a room's timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    /// Which incarnation of the log the sequence belongs to.
    pub epoch: String,
    pub seq: u64,
}

/// A frame from the client; `id` is repeated by the answer.
#[derive(Clone, Debug, Deserialize)]
pub struct ClientFrame {
    #[serde(default)]
    pub id: Option<u64>,
    #[serde(flatten)]
    pub request: Request,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Request {
    Auth {
        token: String,
    },
    Reauth {
        token: String,
    },
    Subscribe {
        room_id: RoomId,
        #[serde(default)]
        since: Option<Since>,
    },
    Unsubscribe {
        room_id: RoomId,
    },
    Send(Send),
    Edit(Edit),
    Delete(Target),
    React(Reaction),
    Unreact(Reaction),
    Pin(Target),
    Unpin(Target),
    Typing {
        room_id: RoomId,
        on: bool,
    },
    /// How this socket counts: not at all if offline.
    Presence {
        state: ShownState,
    },
    Read {
        room_id: RoomId,
        seq: u64,
    },
    History(History),
    Ping,
}

/// What a client shows its user as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ShownState {
    Online,
    Away,
    Offline,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Send {
    pub room_id: RoomId,
    pub client_message_id: ClientMessageId,
    pub content: String,
    #[serde(default)]
    pub reply_to: Option<MessageId>,
    #[serde(default)]
    pub mentions: Vec<UserId>,
    #[serde(default)]
    pub file_ids: Vec<FileId>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Edit {
    pub room_id: RoomId,
    pub message_id: MessageId,
    pub content: String,
    /// None leaves those who were named before.
    #[serde(default)]
    pub mentions: Option<Vec<UserId>>,
}

/// The message that is deleted or pinned.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    pub room_id: RoomId,
    pub message_id: MessageId,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reaction {
    pub room_id: RoomId,
    pub message_id: MessageId,
    pub emoji: Emoji,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct History {
    pub room_id: RoomId,
    #[serde(default)]
    pub before: Option<u64>,
    #[serde(default)]
    pub after: Option<u64>,
    #[serde(default)]
    pub around: Option<u64>,
    #[serde(default)]
    pub limit: Option<u32>,
}

/// A frame from the server.
#[derive(Clone, Debug, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum ServerFrame {
    Hello {
        version: u32,
        connection: String,
        ping_ms: u64,
        max_frame: usize,
        max_in_flight: usize,
        resume_max: usize,
    },
    Ok {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        #[serde(flatten)]
        answer: OkAnswer,
    },
    Message {
        room_id: RoomId,
        seq: u64,
        /// The room's timeline event before it; 0 for the first.
        prev: u64,
        message: Message,
    },
    MessageEdited {
        room_id: RoomId,
        seq: u64,
        prev: u64,
        message_id: MessageId,
        /// None if the author's key is gone, or the message was deleted since.
        content: Option<String>,
        /// None: those who were named before.
        mentions: Option<Vec<UserId>>,
        edited_at: Timestamp,
    },
    MessageDeleted {
        room_id: RoomId,
        seq: u64,
        prev: u64,
        message_id: MessageId,
        /// Who deleted it.
        user_id: UserId,
    },
    Reaction {
        room_id: RoomId,
        seq: u64,
        prev: u64,
        message_id: MessageId,
        emoji: Emoji,
        user_id: UserId,
        on: bool,
    },
    Pinned {
        room_id: RoomId,
        seq: u64,
        prev: u64,
        message_id: MessageId,
        user_id: UserId,
        on: bool,
    },
    CaughtUp {
        room_id: RoomId,
        seq: u64,
    },
    Typing {
        room_id: RoomId,
        user_id: UserId,
        on: bool,
    },
    Presence(Presence),
    BotDelta(BotDelta),
    Ack {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        message_id: MessageId,
        seq: u64,
        created_at: Timestamp,
        duplicate: bool,
        durability: Durability,
    },
    Read {
        room_id: RoomId,
        user_id: UserId,
        seq: u64,
    },
    Unread {
        room_id: RoomId,
        unread_count: u32,
        mention_count: u32,
        read_seq: u64,
    },
    Room {
        room_id: RoomId,
        change: RoomChange,
        room: Box<Room>,
    },
    Member {
        room_id: RoomId,
        change: MemberChange,
        member: Member,
    },
    Error {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        code: ErrorCode,
        message: String,
        retryable: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        after_ms: Option<u64>,
    },
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
    },
}

/// What an `ok` frame carries beside the id.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub enum OkAnswer {
    Authenticated {
        user: User,
        session_id: SessionId,
        expires_at: Timestamp,
    },
    Subscribed {
        room_id: RoomId,
        epoch: String,
        head: u64,
        /// Whether every event after `since` follows before `caughtUp`.
        complete: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<Incomplete>,
        role: RoomRole,
        read_seq: u64,
    },
    Unsubscribed {
        room_id: RoomId,
    },
    Read {
        room_id: RoomId,
        seq: u64,
    },
    Changed {
        room_id: RoomId,
        message_id: MessageId,
        /// Of the event that made it so, which may be an earlier one.
        seq: u64,
    },
    Typing {
        room_id: RoomId,
        on: bool,
    },
    Presence {
        state: ShownState,
    },
    History {
        room_id: RoomId,
        #[serde(flatten)]
        page: HistoryPage,
    },
}

/// Why a resume replays nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Incomplete {
    /// `since` is of another incarnation of the log.
    Epoch,
    /// More than [`RESUME_MAX`] events were missed.
    TooFar,
    /// Part of what was missed could not be read.
    Gap,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MemberChange {
    Joined,
    Left,
    Removed,
    Banned,
    Role,
}

/// Close codes of contract §7: 4000–4499 come back, 4500–4999 stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloseCode {
    Draining,
    PingTimeout,
    TokenExpired,
    SlowConsumer,
    Resync,
    AuthenticationTimeout,
    Protocol,
    BadCredentials,
    SessionRevoked,
    AccountEnded,
    TooLarge,
    OriginRefused,
}

impl CloseCode {
    pub const fn code(self) -> u16 {
        match self {
            Self::Draining => 4001,
            Self::PingTimeout => 4002,
            Self::TokenExpired => 4003,
            Self::SlowConsumer => 4004,
            Self::Resync => 4005,
            Self::AuthenticationTimeout => 4007,
            Self::Protocol => 4500,
            Self::BadCredentials => 4501,
            Self::SessionRevoked => 4502,
            Self::AccountEnded => 4503,
            Self::TooLarge => 4505,
            Self::OriginRefused => 4507,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_send_frame_of_the_contract_is_read() {
        let text = r#"{"id":3,"type":"send","roomId":"00000000-0000-0000-0000-000000000001",
            "clientMessageId":"a","content":"안녕","replyTo":null,"fileIds":[]}"#;
        let frame: ClientFrame = serde_json::from_str(text).unwrap();
        assert_eq!(frame.id, Some(3));
        assert!(matches!(frame.request, Request::Send(send) if send.content == "안녕"));
    }

    #[test]
    fn server_frames_have_the_shape_of_the_contract() {
        let room_id = RoomId::new(uuid::Uuid::from_u128(1));
        let subscribed = ServerFrame::Ok {
            id: Some(2),
            answer: OkAnswer::Subscribed {
                room_id,
                epoch: "e".to_owned(),
                head: 1050,
                complete: false,
                reason: Some(Incomplete::TooFar),
                role: RoomRole::Member,
                read_seq: 1039,
            },
        };
        insta::assert_json_snapshot!(subscribed, @r#"
        {
          "type": "ok",
          "id": 2,
          "roomId": "00000000-0000-0000-0000-000000000001",
          "epoch": "e",
          "head": 1050,
          "complete": false,
          "reason": "tooFar",
          "role": "member",
          "readSeq": 1039
        }
        "#);
        insta::assert_json_snapshot!(ServerFrame::Pong { id: None }, @r#"
        {
          "type": "pong"
        }
        "#);
    }
}
