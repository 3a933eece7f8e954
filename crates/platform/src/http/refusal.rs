//! What a request is refused with. Faults are logged here, once, and their cause is hidden.

use std::{borrow::Cow, error::Error};

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use doran_contract::{Answer, ErrorCode, FieldError};
use doran_eventstore::{AppendError, ExecuteError, LoadError, ReadError, is_full};
use doran_projection::WaitError;
use serde_json::json;

use crate::{
    Clock,
    credentials::CredentialError,
    keyring::{KeyringError, OpenFieldError},
    password::PasswordError,
    profile::ProfileError,
    ws_ticket::TicketError,
};

/// Somebody has to make room first.
const LOG_FULL_RETRY_S: u64 = 30;

/// A refusal with its stable code. Not every refusal is a fault: only 5xx are logged.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    code: ErrorCode,
    message: Cow<'static, str>,
    fields: Vec<FieldError>,
    retry_after_s: Option<u64>,
}

impl Refusal {
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        let retry_after_s = match code {
            ErrorCode::Unavailable | ErrorCode::ProjectionLag | ErrorCode::RateLimited => Some(1),
            ErrorCode::LogFull => Some(LOG_FULL_RETRY_S),
            _ => None,
        };
        Self {
            code,
            message: message.into(),
            fields: Vec::new(),
            retry_after_s,
        }
    }

    pub fn invalid(fields: Vec<FieldError>) -> Self {
        let refusal = Self::new(ErrorCode::ValidationFailed, "some fields are not valid");
        Self { fields, ..refusal }
    }

    pub fn invalid_field(field: &str, reason: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError {
            field: field.to_owned(),
            reason: reason.into(),
        }])
    }

    pub fn not_found(what: &str) -> Self {
        Self::new(ErrorCode::NotFound, format!("{what} not found"))
    }

    /// An `Idempotency-Key` was given to two requests.
    pub(super) fn other_request() -> Self {
        Self::new(
            ErrorCode::IdempotencyMismatch,
            "this idempotency key was used with another body",
        )
    }

    /// A fault that is not the client's. It is logged with its causes; the client learns nothing.
    pub fn internal(error: &(dyn Error + 'static)) -> Self {
        tracing::error!(error = %chain(error), "a request failed");
        Self::new(ErrorCode::Internal, "something went wrong here")
    }

    /// A dependency is away, or has no room left. Nothing was written.
    pub fn unavailable(what: &'static str, error: &(dyn Error + 'static)) -> Self {
        if is_full(error) {
            return Self::log_full(error);
        }
        tracing::warn!(error = %chain(error), what, "a dependency does not answer");
        Self::new(
            ErrorCode::Unavailable,
            format!("{what} does not answer, try again"),
        )
    }

    /// The log has no room left. Nothing was written.
    fn log_full(error: &(dyn Error + 'static)) -> Self {
        tracing::error!(error = %chain(error), "the log is full; docs/operations.md says what to do");
        Self::new(
            ErrorCode::LogFull,
            "there is no room left to write; reading goes on",
        )
    }

    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        Self {
            retry_after_s: Some(seconds),
            ..self
        }
    }

    pub fn code(&self) -> ErrorCode {
        self.code
    }

    pub fn fields(&self) -> &[FieldError] {
        &self.fields
    }

    pub fn message(&self) -> &str {
        &self.message
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code.http_status())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let answer = Answer {
            success: false,
            message: Some(self.message.into_owned()),
            data: (!self.fields.is_empty()).then(|| json!({ "fields": self.fields })),
            error_code: Some(self.code),
            timestamp: Clock::system().timestamp(),
        };
        let mut response = (status, Json(answer)).into_response();
        if let Some(seconds) = self.retry_after_s {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl<E> From<ExecuteError<E>> for Refusal
where
    E: Into<Self> + Error + 'static,
{
    fn from(error: ExecuteError<E>) -> Self {
        match error {
            ExecuteError::Refused(refused) => refused.into(),
            ExecuteError::Conflict => Self::new(
                ErrorCode::Conflict,
                "somebody else changed it at the same time",
            ),
            ExecuteError::PreconditionFailed { actual } => Self::new(
                ErrorCode::PreconditionFailed,
                format!("it has changed since, its version is now \"{actual}\""),
            ),
            ExecuteError::IdempotencyMismatch => Self::other_request(),
            ExecuteError::Unavailable(source) => Self::unavailable("the log", source.as_ref()),
            ExecuteError::Full(source) => Self::log_full(source.as_ref()),
            ExecuteError::FateUnknown => Self::new(
                ErrorCode::FateUnknown,
                "the log did not answer; try again with the same key",
            ),
            ExecuteError::Rejected(source) => Self::internal(source.as_ref()),
            ExecuteError::Corrupt(source) => Self::internal(&source),
        }
    }
}

impl From<AppendError> for Refusal {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Unavailable(source) => Self::unavailable("the log", source.as_ref()),
            AppendError::Full(source) => Self::log_full(source.as_ref()),
            AppendError::FateUnknown => Self::new(
                ErrorCode::FateUnknown,
                "the log did not answer; try again with the same id",
            ),
            AppendError::Rejected(_) => Self::internal(&error),
        }
    }
}

impl From<LoadError> for Refusal {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Unavailable(source) => Self::unavailable("the log", source.as_ref()),
            LoadError::Corrupt(source) => Self::internal(&source),
        }
    }
}

impl From<ReadError> for Refusal {
    fn from(error: ReadError) -> Self {
        Self::unavailable("the log", &error)
    }
}

impl From<WaitError> for Refusal {
    fn from(error: WaitError) -> Self {
        Self::new(ErrorCode::ProjectionLag, error.to_string())
    }
}

impl From<KeyringError> for Refusal {
    fn from(error: KeyringError) -> Self {
        match &error {
            KeyringError::Unavailable(_) => Self::unavailable("the key store", &error),
            KeyringError::ForeignMasterKey | KeyringError::NoKey => Self::internal(&error),
        }
    }
}

impl From<OpenFieldError> for Refusal {
    fn from(error: OpenFieldError) -> Self {
        match error {
            OpenFieldError::Keyring(error) => error.into(),
            OpenFieldError::Damaged(_) | OpenFieldError::Malformed => Self::internal(&error),
        }
    }
}

impl From<CredentialError> for Refusal {
    fn from(error: CredentialError) -> Self {
        match &error {
            CredentialError::Unavailable(_) => Self::unavailable("the credential store", &error),
            CredentialError::ForeignMasterKey => Self::internal(&error),
        }
    }
}

impl From<TicketError> for Refusal {
    fn from(error: TicketError) -> Self {
        match &error {
            TicketError::Invalid => Self::new(ErrorCode::Unauthenticated, error.to_string()),
            TicketError::Unavailable(_) => Self::unavailable("the store of tickets", &error),
        }
    }
}

impl From<PasswordError> for Refusal {
    fn from(error: PasswordError) -> Self {
        match &error {
            PasswordError::Busy => Self::new(
                ErrorCode::Unavailable,
                "too many people log in at this moment, try again",
            ),
            PasswordError::Hash(_) | PasswordError::Stopped(_) => Self::internal(&error),
        }
    }
}

impl From<ProfileError> for Refusal {
    fn from(error: ProfileError) -> Self {
        match error {
            ProfileError::Read(error) => error.into(),
            ProfileError::Open(error) => error.into(),
            ProfileError::Decode(error) => Self::internal(&error),
            ProfileError::Stale { .. } => Self::unavailable("the log", &error),
        }
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        if is_connection_loss(&error) {
            Self::unavailable("the database", &error)
        } else {
            Self::internal(&error)
        }
    }
}

fn is_connection_loss(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        // Class 08: connection exceptions; class 57: operator intervention, such as a shutdown.
        sqlx::Error::Database(database) => database
            .code()
            .is_some_and(|code| code.starts_with("08") || code.starts_with("57")),
        _ => false,
    }
}

/// The error and its causes in one line.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        line.push_str(": ");
        line.push_str(&source.to_string());
        cause = source.source();
    }
    line
}
