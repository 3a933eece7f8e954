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
    #[error("only the owner of the room may do this")]
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
    #[error("the room is archived")]
    Archived,
    #[error("a direct room stays with its two people, and private")]
    DirectStays,
    #[error("you are banned from this room")]
    Banned,
    #[error("somebody of them is banned from this room")]
    IsBanned,
    #[error("nobody bans themselves")]
    NotYourself,
    #[error("the invite has ended, or there is none")]
    NoSuchInvite,
    #[error("the room has too many invites: wait until one has ended")]
    TooManyInvites,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let code = match error {
            Error::NotFound | Error::NoSuchMember | Error::NoSuchInvite => ErrorCode::NotFound,
            Error::NotAMember => ErrorCode::NotMember,
            Error::NotAnAdmin
            | Error::NotTheOwner
            | Error::OwnerStays
            | Error::Private
            | Error::Banned => ErrorCode::Forbidden,
            Error::DirectStays | Error::IsBanned | Error::NotYourself | Error::TooManyInvites => {
                ErrorCode::Conflict
            }
            Error::Archived | Error::Inactive => ErrorCode::RoomInactive,
            Error::OwnerCannotLeave => ErrorCode::OwnerCannotLeave,
            Error::Full => ErrorCode::RoomFull,
            Error::DirectIsForTwo => return Self::invalid_field("memberIds", error.to_string()),
        };
        Self::new(code, error.to_string())
    }
}
