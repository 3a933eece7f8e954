//! Why a command on a file is refused.

use doran_contract::ErrorCode;
use doran_platform::http::Refusal;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("file not found")]
    NotFound,
    #[error("the file is stored already")]
    AlreadyStored,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let code = match error {
            Error::NotFound => ErrorCode::NotFound,
            Error::AlreadyStored => ErrorCode::Conflict,
        };
        Self::new(code, error.to_string())
    }
}
