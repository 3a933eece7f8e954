//! Why a command on a bot is refused.

use doran_contract::ErrorCode;
use doran_platform::http::Refusal;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("there is no such bot")]
    NotFound,
    #[error("the built-in bot stays as it is")]
    BuiltIn,
    #[error("there are as many bots as there may be")]
    TooMany,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let code = match error {
            Error::NotFound => ErrorCode::NotFound,
            Error::BuiltIn | Error::TooMany => ErrorCode::Conflict,
        };
        Self::new(code, error.to_string())
    }
}
