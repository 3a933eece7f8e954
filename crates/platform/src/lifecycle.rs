//! Tasks that belong to the process and end with it, and the order in which they end.

use std::{future::Future, time::Duration};

use doran_projection::Tasks;
use tokio::{
    signal::unix::{SignalKind, signal},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long tasks may take to end once they were asked to.
const DRAIN: Duration = Duration::from_secs(5);

/// Owner of every background task. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Lifecycle {
    stopping: CancellationToken,
    tasks: TaskTracker,
}

impl Lifecycle {
    /// Runs `task` until it ends; [`Lifecycle::stop`] waits for it.
    pub fn spawn<F>(&self, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.tasks.spawn(task);
    }

    /// Is cancelled when the process shall stop; tasks watch it.
    pub fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }

    pub fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    /// Waits for Ctrl-C, SIGTERM, or until a task asked to stop.
    pub async fn until_stopped(&self) -> std::io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted?,
            _ = terminate.recv() => {}
            () = self.stopping.cancelled() => {}
        }
        Ok(())
    }

    /// Asks every task to end and waits for them, for five seconds at most.
    pub async fn stop(&self) {
        self.stopping.cancel();
        self.tasks.close();
        if timeout(DRAIN, self.tasks.wait()).await.is_err() {
            tracing::warn!(unfinished = self.tasks.len(), "tasks did not end in time");
        }
    }
}

impl From<&Lifecycle> for Tasks {
    fn from(lifecycle: &Lifecycle) -> Self {
        Self {
            tracker: lifecycle.tasks.clone(),
            cancel: lifecycle.stopping.clone(),
        }
    }
}
