//! Claims: values that only one aggregate of a stream may hold, decided by the log itself.
//!
//! A claim is a message on `claim.<kind>.<key>` in the same atomic batch as the event that makes
//! it. Its last message says who holds it.

use serde::{Deserialize, Serialize};

use crate::{DecodeError, Recorded};

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

/// The subject on which a claim is recorded.
pub fn claim_subject(kind: &str, key: &str) -> String {
    format!("claim.{kind}.{key}")
}

/// The body of a claim message. `owner` is the aggregate's id, none when the claim is free.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ClaimBody {
    pub(crate) owner: Option<String>,
}

impl ClaimBody {
    /// The `ce-type` of a claim's message.
    pub(crate) const fn event_type(&self) -> &'static str {
        match self.owner {
            Some(_) => "ClaimTaken",
            None => "ClaimReleased",
        }
    }
}

/// Who holds a claim, and the sequence that guards a change of it.
#[derive(Debug, Default)]
pub(crate) struct ClaimState {
    pub(crate) owner: Option<String>,
    /// Stream sequence of the claim's last message, 0 for none.
    pub(crate) sequence: u64,
}

impl ClaimState {
    pub(crate) fn read(last: Option<&Recorded>) -> Result<Self, DecodeError> {
        let Some(last) = last else {
            return Ok(Self::default());
        };
        // What cannot be read is an error: to take it for free could give one value to two.
        let body = serde_json::from_slice(&last.payload);
        let ClaimBody { owner } = body.map_err(|source| last.malformed(source))?;
        Ok(Self {
            owner,
            sequence: last.sequence,
        })
    }
}

/// One claim per value: where a command names one several times, the last word counts.
pub(crate) fn last_words(claims: Vec<Claim>) -> Vec<Claim> {
    let mut last: Vec<Claim> = Vec::new();
    for claim in claims {
        last.retain(|earlier| (earlier.kind, &earlier.key) != (claim.kind, &claim.key));
        last.push(claim);
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_words_on_one_value_the_last_counts() {
        let claims = vec![
            Claim::release("email", "a"),
            Claim::take("email", "b"),
            Claim::take("email", "a"),
        ];
        let expected = vec![Claim::take("email", "b"), Claim::take("email", "a")];
        assert_eq!(last_words(claims), expected);
    }
}
