//! Answers to frames, and the ways to say no.

use std::{borrow::Cow, time::Duration};

use doran_contract::{ErrorCode, frame::ServerFrame};
use doran_eventstore::ReadError;

use crate::{front_door::Refused, live::HubError};

/// Why a frame is not answered with what it asked for.
#[derive(Clone, Debug)]
pub(super) struct Denied {
    code: ErrorCode,
    message: Cow<'static, str>,
    after: Option<Duration>,
}

impl Denied {
    pub(super) fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code: code.on_socket(),
            message: message.into(),
            after: None,
        }
    }

    pub(super) fn unavailable() -> Self {
        Self::new(
            ErrorCode::Unavailable,
            "the server cannot do this now, try again",
        )
    }

    pub(super) fn rate_limited(after: Duration) -> Self {
        Self {
            after: Some(after),
            ..Self::new(ErrorCode::RateLimited, "too many messages, wait a moment")
        }
    }

    pub(super) fn code(&self) -> ErrorCode {
        self.code
    }

    pub(super) fn frame(self, id: Option<u64>) -> ServerFrame {
        ServerFrame::Error {
            id,
            code: self.code,
            message: self.message.into_owned(),
            retryable: self.code.is_retryable(),
            // Rounded up, so that who waits that long is not refused again.
            after_ms: self.after.map(|after| {
                let after_ms = after.as_micros().div_ceil(1000);
                u64::try_from(after_ms).unwrap_or(u64::MAX)
            }),
        }
    }
}

impl From<Refused> for Denied {
    fn from(refused: Refused) -> Self {
        Self::new(refused.code, refused.message)
    }
}

impl From<ReadError> for Denied {
    fn from(error: ReadError) -> Self {
        tracing::warn!(%error, "the log cannot be read");
        Self::unavailable()
    }
}

impl From<HubError> for Denied {
    fn from(error: HubError) -> Self {
        match error {
            HubError::NotMember => Self::new(ErrorCode::NotMember, error.to_string()),
            HubError::Subscribe(_) | HubError::Read(_) | HubError::Late(_) => {
                tracing::warn!(%error, "a room cannot be followed");
                Self::unavailable()
            }
        }
    }
}
