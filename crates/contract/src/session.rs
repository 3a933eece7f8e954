//! Log-ins as clients see them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{SessionId, Timestamp, user::User};

/// Why a session ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Revocation {
    LoggedOut,
    LoggedOutEverywhere,
    /// An old refresh token was presented: somebody else may hold the newer one.
    TokenReused,
    /// The account was suspended or deleted.
    Account,
    /// There is another password.
    PasswordChanged,
}

/// Answer to log-in and refresh.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tokens {
    pub access_token: String,
    pub refresh_token: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// Seconds until the access token expires.
    pub expires_in: u64,
    pub session_id: SessionId,
    pub user: User,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    pub id: SessionId,
    pub device: Option<String>,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
    /// Whether the request came from this session.
    pub current: bool,
}
