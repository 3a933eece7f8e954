//! Where tasks live: the caller's tracker, so that shutdown waits for them.

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What a long-running part needs from the lifecycle of its process.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    /// Tasks are spawned here; the owner closes it and waits.
    pub tracker: TaskTracker,
    /// Cancelled at shutdown.
    pub cancel: CancellationToken,
}

impl Tasks {
    /// Tasks that end with these ones, or earlier when the child's `cancel` is called.
    #[must_use]
    pub fn child(&self) -> Self {
        Self {
            tracker: self.tracker.clone(),
            cancel: self.cancel.child_token(),
        }
    }

    /// Runs `work` until it ends by itself or the process shuts down.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let cancel = self.cancel.clone();
        self.tracker.spawn(async move {
            cancel.run_until_cancelled(work).await;
        });
    }
}
