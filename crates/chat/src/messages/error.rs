//! Why something about messages is refused.

use doran_contract::ErrorCode;
use doran_platform::http::Refusal;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("message not found")]
    NotFound,
    #[error("only its author edits a message")]
    NotTheAuthor,
    #[error("only its author and the room's owner and admins delete a message")]
    NotYours,
    #[error("only the owner and admins of the room pin messages")]
    NotAnAdmin,
    #[error("the message was deleted")]
    Deleted,
    #[error("an older message cannot be looked for now, try again")]
    Unknown,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let code = match error {
            Error::NotFound => ErrorCode::NotFound,
            Error::NotTheAuthor | Error::NotYours | Error::NotAnAdmin => ErrorCode::Forbidden,
            Error::Deleted => ErrorCode::Conflict,
            Error::Unknown => ErrorCode::Unavailable,
        };
        Self::new(code, error.to_string())
    }
}
