//! Why a command on a job is refused.

use doran_contract::ErrorCode;
use doran_platform::http::Refusal;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("the run has ended")]
    RunEnded,
    #[error("there is no such run")]
    UnknownRun,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let code = match error {
            Error::RunEnded => ErrorCode::Conflict,
            Error::UnknownRun => ErrorCode::NotFound,
        };
        Self::new(code, error.to_string())
    }
}
