//! Why an event could not be handled, and whether it will be some time.

use doran_eventstore::{BoxError, DecodeError, ExecuteError, LoadError, ReadError};

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Something is away; the event comes again.
    #[error("it cannot be done at the moment: {0}")]
    Transient(#[source] BoxError),
    /// This event will never pass; its aggregate is parked.
    #[error("it cannot be done: {0}")]
    Permanent(#[source] BoxError),
}

impl Failure {
    pub fn transient(error: impl Into<BoxError>) -> Self {
        Self::Transient(error.into())
    }

    pub fn permanent(error: impl Into<BoxError>) -> Self {
        Self::Permanent(error.into())
    }
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        Self::permanent(error)
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Self::transient(error)
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Unavailable(_) => Self::transient(error),
            LoadError::Corrupt(_) => Self::permanent(error),
        }
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<ExecuteError<E>> for Failure {
    fn from(error: ExecuteError<E>) -> Self {
        match error {
            ExecuteError::Refused(refusal) => Self::permanent(refusal),
            ExecuteError::PreconditionFailed { .. }
            | ExecuteError::IdempotencyMismatch
            | ExecuteError::Rejected(_)
            | ExecuteError::Corrupt(_) => Self::permanent(error),
            ExecuteError::Conflict
            | ExecuteError::Unavailable(_)
            | ExecuteError::FateUnknown
            | ExecuteError::Full(_) => Self::transient(error),
        }
    }
}
