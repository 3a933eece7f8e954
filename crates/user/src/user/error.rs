//! Why a command on a user is refused.

use doran_contract::ErrorCode;
use doran_platform::http::Refusal;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("this e-mail address is taken")]
    EmailTaken,
    #[error("the account exists already")]
    AlreadyRegistered,
    #[error("user not found")]
    NotFound,
    #[error("an account is deleted before it is erased")]
    NotDeleted,
    #[error("the current password is wrong")]
    WrongPassword,
    #[error("the token is not valid, was used or has expired; ask for another one")]
    ResetToken,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let code = match error {
            Error::EmailTaken => ErrorCode::EmailTaken,
            Error::AlreadyRegistered | Error::NotDeleted => ErrorCode::Conflict,
            Error::NotFound => ErrorCode::NotFound,
            Error::WrongPassword | Error::ResetToken => ErrorCode::InvalidCredentials,
        };
        Self::new(code, error.to_string())
    }
}
