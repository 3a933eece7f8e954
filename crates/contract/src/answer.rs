//! The envelope of every HTTP answer and the stable codes of refusals.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Timestamp;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer<T> {
    pub success: bool,
    pub message: Option<String>,
    pub data: Option<T>,
    pub error_code: Option<ErrorCode>,
    pub timestamp: Timestamp,
}

/// A field of the request that did not fit, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldError {
    pub field: String,
    pub reason: String,
}

/// `data` of a list.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Give it as `cursor` for the next page; none at the end.
    pub next_cursor: Option<String>,
}

/// Stable codes. Adding one is compatible, changing one is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorCode {
    BadRequest,
    Unauthenticated,
    InvalidCredentials,
    TokenExpired,
    Forbidden,
    NotMember,
    NotFound,
    MethodNotAllowed,
    Conflict,
    EmailTaken,
    IdempotencyMismatch,
    OwnerCannotLeave,
    RoomFull,
    RoomInactive,
    AccountInactive,
    PreconditionFailed,
    TooLarge,
    RangeNotSatisfiable,
    /// The person's files take all the room that they may have.
    QuotaExceeded,
    UnsupportedMediaType,
    ValidationFailed,
    RateLimited,
    /// A socket frame that this version does not know.
    Unsupported,
    Unavailable,
    ProjectionLag,
    /// The log has no room left; reading goes on.
    LogFull,
    FateUnknown,
    Internal,
}

impl ErrorCode {
    /// The HTTP status that goes with it.
    pub const fn http_status(self) -> u16 {
        match self {
            Self::BadRequest | Self::Unsupported => 400,
            Self::Unauthenticated | Self::InvalidCredentials | Self::TokenExpired => 401,
            Self::Forbidden | Self::NotMember | Self::AccountInactive => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Conflict
            | Self::EmailTaken
            | Self::IdempotencyMismatch
            | Self::OwnerCannotLeave
            | Self::RoomFull
            | Self::RoomInactive => 409,
            Self::PreconditionFailed => 412,
            Self::TooLarge | Self::QuotaExceeded => 413,
            Self::UnsupportedMediaType => 415,
            Self::RangeNotSatisfiable => 416,
            Self::ValidationFailed => 422,
            Self::RateLimited => 429,
            Self::Internal => 500,
            Self::Unavailable | Self::ProjectionLag | Self::LogFull => 503,
            Self::FateUnknown => 504,
        }
    }

    /// The same refusal in the smaller vocabulary of socket frames (contract §7).
    #[must_use]
    pub const fn on_socket(self) -> Self {
        match self {
            Self::MethodNotAllowed
            | Self::UnsupportedMediaType
            | Self::RangeNotSatisfiable
            | Self::ValidationFailed => Self::BadRequest,
            Self::InvalidCredentials => Self::Unauthenticated,
            Self::AccountInactive => Self::Forbidden,
            Self::EmailTaken
            | Self::IdempotencyMismatch
            | Self::OwnerCannotLeave
            | Self::RoomFull
            | Self::PreconditionFailed => Self::Conflict,
            Self::QuotaExceeded => Self::TooLarge,
            Self::ProjectionLag | Self::LogFull => Self::Unavailable,
            Self::BadRequest
            | Self::Unauthenticated
            | Self::TokenExpired
            | Self::Forbidden
            | Self::NotMember
            | Self::NotFound
            | Self::Conflict
            | Self::RoomInactive
            | Self::TooLarge
            | Self::RateLimited
            | Self::Unsupported
            | Self::Unavailable
            | Self::FateUnknown
            | Self::Internal => self,
        }
    }

    /// Whether the same request may succeed later.
    pub const fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::RateLimited
                | Self::Unavailable
                | Self::ProjectionLag
                | Self::LogFull
                | Self::FateUnknown
        )
    }
}
