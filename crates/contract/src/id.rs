//! Ids as types of their own, so that a room id can never be passed for a user id.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::subject::{BOT_SHARD, SHARDS};

/// Namespace of every name-based id that this system derives.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f0a_8b1e_55c4_4d0b_9a57_2c1d_e0f3_7a42);

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "format": "uuid" })
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )+};
}

ids! {
    /// A person or a bot with an account.
    UserId,
    /// A chat room.
    RoomId,
    /// A message; see [`MessageId::derive`].
    MessageId,
    /// A log-in on one device.
    SessionId,
    /// A file that somebody uploaded.
    FileId,
    /// The bytes of a file in the file store.
    BlobId,
    /// A message that somebody keeps; see [`BookmarkId::derive`].
    BookmarkId,
    /// One run of a job; see [`RunId::scheduled`].
    RunId,
}

impl RunId {
    /// The run that a due job leads to, whoever takes it up and however often: `due` is where it
    /// lies in the stream of this incarnation.
    pub fn scheduled(incarnation: &str, due: u64) -> Self {
        let name = format!("run/{incarnation}/{due}");
        Self(Uuid::new_v5(&NAMESPACE, name.as_bytes()))
    }
}

impl RoomId {
    /// The one direct room of two people, whoever of them makes it.
    pub fn direct(one: UserId, other: UserId) -> Self {
        let (first, second) = (one.min(other), one.max(other));
        let name = format!("direct/{first}/{second}");
        Self(Uuid::new_v5(&NAMESPACE, name.as_bytes()))
    }
}

impl RoomId {
    /// The id of a room with a bot. All of them lie in one shard of `MESSAGE`, so that whoever calls
    /// bots reads little else.
    pub const fn with_bot(id: Uuid) -> Self {
        let shards = SHARDS as u128;
        Self(Uuid::from_u128(
            id.as_u128() / shards * shards + BOT_SHARD as u128,
        ))
    }
}

impl MessageId {
    /// The id of what `sender` sent to `room` under `client_message_id`.
    ///
    /// A resend, however late and over whatever gateway, derives the same id again.
    pub fn derive(room: RoomId, sender: UserId, client_message_id: &ClientMessageId) -> Self {
        let name = format!("message/{room}/{sender}/{client_message_id}");
        Self(Uuid::new_v5(&NAMESPACE, name.as_bytes()))
    }
}

impl BookmarkId {
    /// The one bookmark that somebody has of a message.
    pub fn derive(user: UserId, message: MessageId) -> Self {
        let name = format!("bookmark/{user}/{message}");
        Self(Uuid::new_v5(&NAMESPACE, name.as_bytes()))
    }
}

/// A command id from an `Idempotency-Key`: the same key of the same actor on the same route.
pub fn command_id(actor: &str, route: &str, idempotency_key: &str) -> Uuid {
    let name = format!("command/{actor}/{route}/{idempotency_key}");
    Uuid::new_v5(&NAMESPACE, name.as_bytes())
}

/// A child id that follows from a command, so that a retried creation creates the same thing.
pub fn created_by(command_id: Uuid) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("created/{command_id}").as_bytes())
}

/// A session of SockJS, whose own name may be any text.
pub(crate) fn sockjs_session(name: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("sockjs/{name}").as_bytes())
}

/// What a client calls its message: 1–64 of `A–Z a–z 0–9 . _ : -`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct ClientMessageId(String);

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 64 letters, digits or . _ : -")]
pub struct InvalidClientMessageId;

impl TryFrom<String> for ClientMessageId {
    type Error = InvalidClientMessageId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits = (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._:-".contains(&b));
        if fits {
            Ok(Self(text))
        } else {
            Err(InvalidClientMessageId)
        }
    }
}

impl From<ClientMessageId> for String {
    fn from(id: ClientMessageId) -> Self {
        id.0
    }
}

impl From<Uuid> for ClientMessageId {
    fn from(id: Uuid) -> Self {
        Self(id.to_string())
    }
}

impl fmt::Display for ClientMessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resend_derives_the_same_message_id_and_any_difference_another() {
        let (room, other) = (
            RoomId::new(Uuid::from_u128(1)),
            RoomId::new(Uuid::from_u128(2)),
        );
        let sender = UserId::new(Uuid::from_u128(3));
        let id = ClientMessageId::try_from("m-1".to_owned()).unwrap();
        let first = MessageId::derive(room, sender, &id);
        assert_eq!(first, MessageId::derive(room, sender, &id));
        assert_ne!(first, MessageId::derive(other, sender, &id));
    }

    #[test]
    fn a_client_message_id_holds_no_free_text() {
        for bad in ["", "has space", "한글", &"x".repeat(65)] {
            assert_eq!(
                ClientMessageId::try_from(bad.to_owned()),
                Err(InvalidClientMessageId)
            );
        }
    }

    #[test]
    fn ids_read_upper_case_and_write_lower_case() {
        let id: UserId = "6F0A8B1E-55C4-4D0B-9A57-2C1DE0F37A42".parse().unwrap();
        assert_eq!(id.to_string(), "6f0a8b1e-55c4-4d0b-9a57-2c1de0f37a42");
    }
}
