//! Why a command on a room is refused.

use doran_contract::ErrorCode;
use doran_platform::http::Refusal;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("room not found")]
    NotFound,
    #[error("you are not a member of this room")]
    NotAMember,
    #[error("only the owner and admins of the room may do this")]
    NotAnAdmin,
    #[error("only the owner of the room makes admins")]
    NotTheOwner,
    #[error("nobody removes the owner")]
    OwnerStays,
    #[error("the owner cannot leave the room")]
    OwnerCannotLeave,
    #[error("there is no such member")]
    NoSuchMember,
    #[error("the room is private: a member has to add you")]
    Private,
    #[error("the room is full")]
    Full,
    #[error("a direct room is for two")]
    DirectIsForTwo,
    #[error("the room is not active")]
    Inactive,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let code = match error {
            Error::NotFound | Error::NoSuchMember => ErrorCode::NotFound,
            Error::NotAMember => ErrorCode::NotMember,
            Error::NotAnAdmin | Error::NotTheOwner | Error::OwnerStays | Error::Private => {
                ErrorCode::Forbidden
            }
            Error::OwnerCannotLeave => ErrorCode::OwnerCannotLeave,
            Error::Full => ErrorCode::RoomFull,
            Error::Inactive => ErrorCode::RoomInactive,
            Error::DirectIsForTwo => return Self::invalid_field("memberIds", error.to_string()),
        };
        Self::new(code, error.to_string())
    }
}
