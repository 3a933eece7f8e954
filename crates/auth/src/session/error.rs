//! Why a command on a session is refused.

use doran_contract::ErrorCode;
use doran_platform::http::Refusal;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("session not found")]
    NotFound,
    #[error("the session exists already")]
    AlreadyStarted,
    #[error("the session has ended, log in again")]
    Ended,
    #[error("the session has expired, log in again")]
    Expired,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let code = match error {
            Error::NotFound => ErrorCode::NotFound,
            Error::AlreadyStarted => ErrorCode::Conflict,
            Error::Ended | Error::Expired => ErrorCode::Unauthenticated,
        };
        Self::new(code, error.to_string())
    }
}
