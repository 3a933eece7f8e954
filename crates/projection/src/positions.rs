//! Waiting until the read models hold what a client has seen.

use std::{sync::Arc, time::Duration};

use doran_eventstore::Position;
use tokio::time::{Instant, sleep, timeout_at};

use crate::tracker::Tracker;

/// How long an event on its way may take before the log is asked whether there is one at all.
const GRACE: Duration = Duration::from_millis(5);
/// How often the log is asked while somebody waits.
const ASK_AGAIN: Duration = Duration::from_millis(250);

/// Where the read models of a service stand. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Positions {
    trackers: Arc<[Arc<Tracker>]>,
}

impl Positions {
    pub(crate) fn new(trackers: impl IntoIterator<Item = Arc<Tracker>>) -> Self {
        Self {
            trackers: trackers.into_iter().collect(),
        }
    }

    /// The same for some of the read models only: a query that reads one table need not wait for
    /// the others. Names that are not there are ignored.
    #[must_use]
    pub fn of(&self, read_models: &[&str]) -> Self {
        let is_wanted = |tracker: &&Arc<Tracker>| read_models.contains(&tracker.read_model());
        Self::new(self.trackers.iter().filter(is_wanted).cloned())
    }

    /// Returns once every read model that is fed by a named stream holds everything up to the
    /// position; streams that none of them reads are ignored. Fails after `within`.
    pub async fn wait(&self, positions: &[Position], within: Duration) -> Result<(), WaitError> {
        let deadline = Instant::now() + within;
        for wanted in positions {
            let fed = self.trackers.iter();
            for tracker in fed.filter(|tracker| tracker.stream() == wanted.stream) {
                wait_for(tracker, wanted.sequence, deadline).await?;
            }
        }
        Ok(())
    }

    /// The position of each read model.
    pub fn current(&self) -> Vec<(String, Position)> {
        self.trackers
            .iter()
            .map(|tracker| {
                let position = Position::new(tracker.stream(), tracker.position());
                (tracker.read_model().to_owned(), position)
            })
            .collect()
    }
}

/// The read models did not get there in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read model {read_model} is at {reached}, {wanted} was asked for")]
pub struct WaitError {
    pub read_model: String,
    pub reached: u64,
    pub wanted: Position,
}

async fn wait_for(tracker: &Tracker, sequence: u64, deadline: Instant) -> Result<(), WaitError> {
    if tracker.position() >= sequence {
        return Ok(());
    }
    tracker.hasten();
    let mut position = tracker.watch();
    let reached = async {
        let arrival = position.wait_for(|reached| *reached >= sequence);
        tokio::select! {
            biased;
            _ = arrival => {}
            () = keep_asking(tracker) => {}
        }
    };
    if timeout_at(deadline, reached).await.is_ok() {
        return Ok(());
    }
    Err(WaitError {
        read_model: tracker.read_model().to_owned(),
        reached: tracker.position(),
        wanted: Position::new(tracker.stream(), sequence),
    })
}

/// The event may have been filtered out, or the notice of its arrival lost. Never ends.
async fn keep_asking(tracker: &Tracker) {
    sleep(GRACE).await;
    loop {
        tracker.want();
        sleep(ASK_AGAIN).await;
    }
}
