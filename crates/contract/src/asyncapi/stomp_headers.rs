//! The headers of each frame of STOMP, as types for their shapes' sake.

use schemars::JsonSchema;

use crate::{ErrorCode, frame::Incomplete};

const NUMBER: &str = "^[0-9]+$";
const JSON: &str = "^application/json$";
const HEART_BEAT: &str = "^ *[0-9]+ *, *[0-9]+ *$";
const PLACE: &str = "^.+:[0-9]+$";

/// Of a variant whose answer is not RECEIPT, `x-answer` says which it is.
#[derive(JsonSchema)]
#[serde(
    tag = "command",
    rename_all = "UPPERCASE",
    rename_all_fields = "kebab-case"
)]
#[expect(dead_code, reason = "only its shape is of interest")]
pub(super) enum FromClient {
    /// Logs in: with `Authorization`, with `login` and `passcode`, or with a ticket on the URL. It is
    /// the first frame, within 10 s, and may be called STOMP as well.
    #[schemars(extend("x-answer" = "CONNECTED"))]
    Connect {
        /// Versions that the client speaks: 1.2, 1.1, 1.0, with commas between them. Without any, 1.0.
        accept_version: Option<String>,
        /// Is not looked at.
        host: Option<String>,
        /// How often the client beats, and how often it wants the server to, in milliseconds; 0 is
        /// never. The server beats every 10 s at most.
        #[schemars(regex(pattern = HEART_BEAT))]
        heart_beat: Option<String>,
        /// `Bearer` and an access token. As in HTTP, the case of the name does not matter.
        #[serde(rename = "Authorization")]
        authorization: Option<String>,
        /// An e-mail address, if `passcode` is its password.
        login: Option<String>,
        /// A password, which makes a session that ends with the socket, or an access token.
        passcode: Option<String>,
    },
    /// What happens in a room, from now on or from where the client left it, or a queue of one's own.
    /// Each is authorised; wildcards are refused.
    Subscribe {
        /// A room or a queue.
        destination: String,
        /// What the client calls the subscription. Only STOMP 1.0 may do without.
        id: Option<String>,
        /// `<epoch>:<seq>` of the room's last MESSAGE that the client has seen.
        #[schemars(regex(pattern = PLACE))]
        since: Option<String>,
        /// Is not looked at: every message counts as acknowledged.
        ack: Option<String>,
        /// What RECEIPT shall repeat. Without it a resume that cannot be complete ends in ERROR.
        receipt: Option<String>,
    },
    /// No more messages of a subscription.
    Unsubscribe {
        /// What the client calls the subscription. Only STOMP 1.0 may do without.
        id: Option<String>,
        /// What STOMP 1.0 may call it instead.
        destination: Option<String>,
        receipt: Option<String>,
    },
    /// The SENDs that name the transaction wait for its COMMIT.
    Begin {
        transaction: String,
        receipt: Option<String>,
    },
    /// Sends what waited, in order. The log takes each by itself, so one may be refused and the next
    /// one not.
    Commit {
        transaction: String,
        receipt: Option<String>,
    },
    /// Forgets what waited.
    Abort {
        transaction: String,
        receipt: Option<String>,
    },
    /// Does nothing: every message counts as acknowledged.
    Ack {
        id: Option<String>,
        subscription: Option<String>,
        message_id: Option<String>,
        transaction: Option<String>,
        receipt: Option<String>,
    },
    /// Does nothing: every message counts as acknowledged.
    Nack {
        id: Option<String>,
        subscription: Option<String>,
        message_id: Option<String>,
        transaction: Option<String>,
        receipt: Option<String>,
    },
    /// Ends the connection after everything before it has been done.
    Disconnect { receipt: Option<String> },
}

/// Of a SEND.
#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(dead_code, reason = "only its shape is of interest")]
pub(super) struct Send {
    /// The room's, or the one of all rooms.
    destination: String,
    /// What RECEIPT shall repeat, after the log has the message.
    receipt: Option<String>,
    /// Waits for the COMMIT of it.
    transaction: Option<String>,
    /// Is not looked at: bodies are JSON.
    content_type: Option<String>,
    /// Bytes of the body.
    #[schemars(regex(pattern = NUMBER))]
    content_length: Option<String>,
}

#[derive(JsonSchema)]
#[serde(
    tag = "command",
    rename_all = "UPPERCASE",
    rename_all_fields = "kebab-case"
)]
#[expect(dead_code, reason = "only its shape is of interest")]
pub(super) enum FromServer {
    /// The client has logged in.
    Connected {
        /// The newest that both speak.
        version: String,
        /// How often the server beats, and how often it wants the client to, in milliseconds.
        #[schemars(regex(pattern = HEART_BEAT))]
        heart_beat: String,
        /// The socket's name in the server's logs.
        session: String,
        /// The server's name and version.
        server: String,
        /// The user's id.
        user_name: String,
    },
    /// A frame that asked for it has been handled: a SEND after the log has the message. Of a room's
    /// SUBSCRIBE it says what `ok` says in `doran.v1`.
    Receipt {
        /// `receipt` of the client's frame.
        receipt_id: String,
        /// Which incarnation of the log the room's sequences belong to.
        epoch: Option<String>,
        /// `seq` of the room's newest event; 0 if it has none.
        #[schemars(regex(pattern = NUMBER))]
        head: Option<String>,
        /// Whether everything after `since` follows. With false nothing is replayed: load a page
        /// over HTTP.
        #[schemars(regex(pattern = "^(true|false)$"))]
        complete: Option<String>,
        /// Only where it is not complete.
        reason: Option<Incomplete>,
    },
    /// A frame is refused, or the connection has to end; it is closed after this, with the codes of
    /// `doran.v1`.
    Error {
        /// For people, in English.
        message: String,
        code: ErrorCode,
        /// `receipt` of the client's frame, if it has one.
        receipt_id: Option<String>,
        #[schemars(regex(pattern = JSON))]
        content_type: String,
        /// Bytes of the body.
        #[schemars(regex(pattern = NUMBER))]
        content_length: String,
    },
}

/// Of a MESSAGE in a room.
#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(dead_code, reason = "only its shape is of interest")]
pub(super) struct InRoom {
    /// As the client's SUBSCRIBE named it.
    destination: String,
    /// `id` of the SUBSCRIBE. Left out where STOMP 1.0 gave none.
    subscription: Option<String>,
    /// The same as `seq`.
    #[schemars(regex(pattern = NUMBER))]
    message_id: String,
    /// What the body is.
    r#type: String,
    /// The event's place in the log: increasing in a room, with holes.
    #[schemars(regex(pattern = NUMBER))]
    seq: String,
    /// `seq` of the room's event before it, of whatever type; 0 for the first. Who has seen another
    /// one last has missed something.
    #[schemars(regex(pattern = NUMBER))]
    prev: String,
    /// Which incarnation of the log `seq` and `prev` belong to.
    epoch: String,
    #[schemars(regex(pattern = JSON))]
    content_type: String,
    /// Bytes of the body.
    #[schemars(regex(pattern = NUMBER))]
    content_length: String,
}

/// Of a MESSAGE in a queue.
#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(dead_code, reason = "only its shape is of interest")]
pub(super) struct InQueue {
    destination: String,
    /// `id` of the SUBSCRIBE. Left out where STOMP 1.0 gave none.
    subscription: Option<String>,
    message_id: String,
    /// What the body is.
    r#type: String,
    #[schemars(regex(pattern = JSON))]
    content_type: String,
    /// Bytes of the body.
    #[schemars(regex(pattern = NUMBER))]
    content_length: String,
}
