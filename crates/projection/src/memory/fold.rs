//! What a program writes to keep state from events in memory.

use doran_eventstore::{DecodeError, Recorded};

/// State that is made from events, in stream order, and from nothing else.
///
/// `apply` decides nothing and asks no clock, so that every process folds to the same state.
pub trait Fold: Send + Sync + 'static {
    /// Takes in one event. Called once for each, in stream order.
    fn apply(&mut self, event: &Recorded) -> Result<(), FoldError>;
}

/// Why an event could not be taken in.
///
/// An unknown type is passed over and counted. Anything else makes the model unhealthy: it goes on
/// with later events, so that it misses as little as possible, but says so until it is restarted.
#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The event contradicts the state.
    #[error("{stream}:{sequence} cannot be applied: {reason}")]
    Contradiction {
        stream: String,
        sequence: u64,
        reason: &'static str,
    },
}

impl FoldError {
    pub(super) fn is_unknown_type(&self) -> bool {
        matches!(self, Self::Decode(DecodeError::UnknownType { .. }))
    }
}
