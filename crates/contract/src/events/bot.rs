//! What happens to a bot. Its secret and its token are in no event: they follow from the master
//! key and the numbers here.

use serde::{Deserialize, Serialize};

use super::events;
use crate::UserId;

events! {
    /// Stream `BOT`, subject `bot.<bot_id>.<Type>`.
    BotEvent, BOT_EVENTS {
        BotRegistered = "BotRegistered" v 1,
        BotChanged = "BotChanged" v 1,
        BotKeysRotated = "BotKeysRotated" v 1,
        BotRemoved = "BotRemoved" v 1,
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct BotRegistered {
    pub bot_id: UserId,
    pub name: String,
    pub picture: Option<String>,
    /// The URL that is called, sealed with a key that only services have, in base64url.
    pub sealed_webhook: Option<String>,
}

/// How the bot is from now on, as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct BotChanged {
    pub bot_id: UserId,
    pub name: String,
    pub picture: Option<String>,
    pub sealed_webhook: Option<String>,
}

/// What was handed out before is worth nothing from now on. Both begin with 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct BotKeysRotated {
    pub bot_id: UserId,
    /// Which secret signs deliveries.
    pub secret: u32,
    /// Which token the bot speaks with.
    pub token: u32,
}

/// For ever. What the bot said stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct BotRemoved {
    pub bot_id: UserId,
}
