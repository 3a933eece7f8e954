//! Why a command on bookmarks is refused.

use doran_contract::ErrorCode;
use doran_platform::http::Refusal;

use super::aggregate::MAX_BOOKMARKS;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("bookmark not found")]
    NotFound,
    #[error("there are {MAX_BOOKMARKS} bookmarks, remove some first")]
    Full,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let code = match error {
            Error::NotFound => ErrorCode::NotFound,
            Error::Full => ErrorCode::QuotaExceeded,
        };
        Self::new(code, error.to_string())
    }
}
