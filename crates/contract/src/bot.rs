//! Bots as clients see them, and what is called and told of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    MessageId, RoomId, Timestamp, UserId,
    message::{ContentType, Message},
    room::RoomKind,
};

/// The bot that is in every installation and answers with what was said.
pub const ECHO: UserId = UserId::new(Uuid::from_u128(0x6563_686f_0000_8000_8000_0000_0000_0b07));
/// Its name.
pub const ECHO_NAME: &str = "Echo";

/// A bot as administrators see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Bot {
    pub id: UserId,
    pub name: String,
    pub picture: Option<String>,
    pub webhook_url: Option<String>,
    /// It answers inside the service, and can be neither changed nor removed.
    pub built_in: bool,
    /// Signs deliveries. Only in the answer that makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// What the bot shows as its bearer token. Only in the answer that makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// None of the built-in bot.
    pub created_at: Option<Timestamp>,
    pub updated_at: Option<Timestamp>,
}

/// A bot as everybody sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PublicBot {
    pub id: UserId,
    pub name: String,
    pub picture: Option<String>,
}

/// What is posted to a bot's webhook: somebody said something in a room of the bot.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// The same when it is tried again.
    pub delivery_id: Uuid,
    pub bot_id: UserId,
    pub room: DeliveryRoom,
    pub sender: DeliverySender,
    pub message: Message,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeliveryRoom {
    pub id: RoomId,
    pub name: String,
    pub kind: RoomKind,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeliverySender {
    pub id: UserId,
    pub name: String,
}

/// What a bot answers with: everything, or, in a stream of such lines, piece by piece.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BotAnswer {
    pub content: Option<String>,
    #[serde(default)]
    pub content_type: ContentType,
}

/// A piece of an answer that is still being written.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BotDelta {
    pub room_id: RoomId,
    /// Of the message that follows, which has the whole.
    pub message_id: MessageId,
    /// 0, 1, 2, …
    pub n: u32,
    pub text: String,
}
