//! Claims: values that only one aggregate of a stream may hold, decided by the log itself.
//!
//! A claim is a message on `claim.<kind>.<key>` in the same atomic batch as the event that makes
//! it. Its last message says who holds it.

use serde::{Deserialize, Serialize};

/// One value that an event takes or frees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What is unique, for example `email`: one subject token.
    pub kind: &'static str,
    /// The value, for example a keyed hash: one subject token, never the plain text.
    pub key: String,
    pub action: ClaimAction,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimAction {
    Take,
    Release,
}

impl Claim {
    pub fn take(kind: &'static str, key: impl Into<String>) -> Self {
        Self {
            kind,
            key: key.into(),
            action: ClaimAction::Take,
        }
    }

    pub fn release(kind: &'static str, key: impl Into<String>) -> Self {
        Self {
            kind,
            key: key.into(),
            action: ClaimAction::Release,
        }
    }
}

/// The body of a claim message. `owner` is the aggregate's id, none when the claim is free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClaimBody {
    pub(crate) owner: Option<String>,
}

/// The subject on which a claim is recorded.
pub fn claim_subject(kind: &str, key: &str) -> String {
    format!("claim.{kind}.{key}")
}
