//! What clients send.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ClientMessageId, FileId, MessageId, RoomId, UserId,
    message::{Emoji, MAX_ATTACHMENTS, MAX_CONTENT_CHARS},
};

/// A frame from the client.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct ClientFrame {
    /// Repeated by the answer.
    #[serde(default)]
    pub id: Option<u64>,
    #[serde(flatten)]
    pub request: Request,
}

/// What is asked for. `x-answer` says what answers it: a frame's type, or which `ok`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Request {
    /// Logs in. Nothing else is answered before it, and it has to come within 10 s.
    #[schemars(extend("x-answer" = "okAuthenticated"))]
    Auth {
        /// An access token.
        token: String,
    },
    /// A newer token for a socket that stays open.
    #[schemars(extend("x-answer" = "okAuthenticated"))]
    Reauth {
        /// An access token of the same user.
        token: String,
    },
    /// A room's timeline, from now on or from where the client left it. After `ok` comes everything
    /// since then, and then `caughtUp`.
    #[schemars(extend("x-answer" = "okSubscribed"))]
    Subscribe {
        room_id: RoomId,
        /// The last event that the client has seen.
        #[serde(default)]
        since: Option<Since>,
    },
    /// No more frames of a room's timeline.
    #[schemars(extend("x-answer" = "okUnsubscribed"))]
    Unsubscribe { room_id: RoomId },
    /// Sends a message. It is acknowledged after the log has it; repeat it until then.
    #[schemars(extend("x-answer" = "ack"))]
    Send(Send),
    /// Gives one's own message another content.
    #[schemars(extend("x-answer" = "okChanged"))]
    Edit(Edit),
    /// Deletes a message: one's own, or as the room's admin anybody's.
    #[schemars(extend("x-answer" = "okChanged"))]
    Delete(Target),
    /// Adds an emoji to a message.
    #[schemars(extend("x-answer" = "okChanged"))]
    React(Reaction),
    /// Takes one's own emoji from a message again.
    #[schemars(extend("x-answer" = "okChanged"))]
    Unreact(Reaction),
    /// Pins a message, as the room's admin.
    #[schemars(extend("x-answer" = "okChanged"))]
    Pin(Target),
    /// Unpins a message, as the room's admin.
    #[schemars(extend("x-answer" = "okChanged"))]
    Unpin(Target),
    /// Tells a room's other subscribers that one types. It ends by itself after 5 s.
    #[schemars(extend("x-answer" = "okTyping"))]
    Typing {
        room_id: RoomId,
        /// Whether one types.
        on: bool,
    },
    /// How this socket counts in what others see of the user: not at all if `offline`.
    #[schemars(extend("x-answer" = "okPresence"))]
    Presence { state: ShownState },
    /// Moves the user's read marker of a room, which only goes forward.
    #[schemars(extend("x-answer" = "okRead"))]
    Read {
        room_id: RoomId,
        /// Of the last event that was read.
        seq: u64,
    },
    /// A page of a room's messages: next to one of `before`, `after` and `around`, or without any of
    /// them the newest ones.
    #[schemars(extend("x-answer" = "okHistory"))]
    History(History),
    /// Whether the server is there.
    #[schemars(extend("x-answer" = "pong"))]
    Ping,
}

/// A place in a room's timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Since {
    /// Which incarnation of the log the sequence belongs to, as `ok` said on `subscribe`.
    pub epoch: String,
    pub seq: u64,
}

/// What a client shows its user as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ShownState {
    Online,
    Away,
    Offline,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Send {
    pub room_id: RoomId,
    /// The message's name in its room: under the same one it is stored once, however often it is
    /// sent.
    pub client_message_id: ClientMessageId,
    #[schemars(length(min = 1, max = MAX_CONTENT_CHARS))]
    pub content: String,
    /// The message that this one answers.
    #[serde(default)]
    pub reply_to: Option<MessageId>,
    /// The people whom it names. Those who are not in the room are ignored.
    #[serde(default)]
    pub mentions: Vec<UserId>,
    /// One's own uploads.
    #[serde(default)]
    #[schemars(length(max = MAX_ATTACHMENTS))]
    pub file_ids: Vec<FileId>,
}

/// What a SEND of STOMP has in its body.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StompSend {
    /// Has to be there where the destination names no room, and else may not name another one.
    #[serde(default)]
    pub room_id: Option<RoomId>,
    #[schemars(length(min = 1, max = MAX_CONTENT_CHARS))]
    pub content: String,
    /// The message's name in its room: under the same one it is stored once, however often it is
    /// sent. Without one, what is sent again is another message.
    #[serde(default)]
    pub client_message_id: Option<ClientMessageId>,
    /// The message that this one answers.
    #[serde(default)]
    pub reply_to: Option<MessageId>,
    /// The people whom it names. Those who are not in the room are ignored.
    #[serde(default)]
    pub mentions: Vec<UserId>,
    /// One's own uploads.
    #[serde(default)]
    #[schemars(length(max = MAX_ATTACHMENTS))]
    pub file_ids: Vec<FileId>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Edit {
    pub room_id: RoomId,
    pub message_id: MessageId,
    #[schemars(length(min = 1, max = MAX_CONTENT_CHARS))]
    pub content: String,
    /// The people whom it names now; null leaves those who were named before.
    #[serde(default)]
    pub mentions: Option<Vec<UserId>>,
}

/// The message that is deleted or pinned.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Target {
    pub room_id: RoomId,
    pub message_id: MessageId,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Reaction {
    pub room_id: RoomId,
    pub message_id: MessageId,
    pub emoji: Emoji,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct History {
    pub room_id: RoomId,
    /// Messages older than this sequence.
    #[serde(default)]
    pub before: Option<u64>,
    /// Messages newer than this sequence.
    #[serde(default)]
    pub after: Option<u64>,
    /// Messages on both sides of this sequence.
    #[serde(default)]
    pub around: Option<u64>,
    /// Messages of one page.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub limit: Option<u32>,
}
