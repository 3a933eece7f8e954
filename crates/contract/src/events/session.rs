//! Log-ins and their end. A refresh token is never in the log, only its hash.

use serde::{Deserialize, Serialize};

use super::events;
use crate::{Sealed, SessionId, Timestamp, UserId, session::Revocation};

events! {
    /// Stream `SESSION`, subject `session.<session_id>.<Type>`.
    SessionEvent, SESSION_EVENTS {
        SessionStarted = "SessionStarted" v 1,
        SessionRefreshed = "SessionRefreshed" v 1,
        SessionRevoked = "SessionRevoked" v 1,
        SessionForgotten = "SessionForgotten" v 1,
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionStarted {
    pub session_id: SessionId,
    pub user_id: UserId,
    pub device: Option<Sealed>,
    /// Keyed hash of the refresh token in hex.
    pub refresh_token_hash: String,
    pub started_at: Timestamp,
    pub expires_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionRefreshed {
    pub session_id: SessionId,
    pub user_id: UserId,
    pub refresh_token_hash: String,
    /// Hash of the token that was presented; none after a repeated log-in, which presents none.
    pub presented_token_hash: Option<String>,
    pub refreshed_at: Timestamp,
    pub expires_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionRevoked {
    pub session_id: SessionId,
    pub user_id: UserId,
    pub reason: Revocation,
}

/// The session ended long ago, and no list has to know it any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionForgotten {
    pub session_id: SessionId,
    pub user_id: UserId,
}
