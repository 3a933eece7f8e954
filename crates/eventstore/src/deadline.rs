//! Deadlines: every wait in this crate ends at one.

use std::time::Duration;

use tokio::time::Instant;

/// What an answer to a read may take.
pub(crate) const READ: Duration = Duration::from_secs(2);
/// What one sending of a message may take until its acknowledgement.
pub(crate) const TRY: Duration = Duration::from_secs(2);
/// What an append or a command may take with all its retries.
pub(crate) const TOTAL: Duration = Duration::from_secs(5);
/// What of [`TOTAL`] is kept for asking the log what became of a message.
pub(crate) const INQUIRY: Duration = Duration::from_secs(1);

/// A point in time after which nobody waits any more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

/// The time was up.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("no answer within {} ms", .0.as_millis())]
pub(crate) struct Elapsed(Duration);

impl Deadline {
    pub(crate) fn after(limit: Duration) -> Self {
        Self(Instant::now() + limit)
    }

    /// The earlier of this deadline and `limit` from now.
    pub(crate) fn within(self, limit: Duration) -> Self {
        Self(self.0.min(Instant::now() + limit))
    }

    /// The same deadline, `time` earlier.
    pub(crate) fn less(self, time: Duration) -> Self {
        Self(self.0.checked_sub(time).unwrap_or(self.0))
    }

    pub(crate) fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    pub(crate) fn has_passed(self) -> bool {
        self.remaining().is_zero()
    }

    pub(crate) async fn wait_for<F: Future>(self, future: F) -> Result<F::Output, Elapsed> {
        let limit = self.remaining();
        let elapsed = |_| Elapsed(limit);
        tokio::time::timeout_at(self.0, future)
            .await
            .map_err(elapsed)
    }
}
