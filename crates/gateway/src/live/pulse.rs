//! Whether the connection to NATS was made anew, and whether the log is still the one it was.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use async_nats::Client;
use doran_eventstore::ReadError;
use doran_platform::Lifecycle;
use tokio::{sync::watch, time::interval};

use super::Log;

/// How soon a new connection is noticed.
const LOOK: Duration = Duration::from_millis(200);
/// Looks between two questions for the log's incarnation.
const LOOKS_PER_QUESTION: u32 = 25;

/// Why it cannot be said which log this is.
#[derive(Debug, thiserror::Error)]
pub enum EpochError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("the stream of messages has no incarnation; run `doran streams apply`")]
    Missing,
}

/// Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Pulse {
    /// Counts connections.
    pub(super) connections: watch::Receiver<u64>,
    /// The incarnation of the messages' stream.
    pub(super) epoch: watch::Receiver<Arc<str>>,
}

impl Pulse {
    pub(crate) async fn start(
        nats: &Client,
        log: &Log,
        lifecycle: &Lifecycle,
    ) -> Result<Self, EpochError> {
        let epoch = log.incarnation().await?.ok_or(EpochError::Missing)?;
        let (connections_sender, connections) = watch::channel(connection_count(nats));
        let (epoch_sender, epoch) = watch::channel(Arc::from(epoch));
        let watcher = Watcher {
            nats: nats.clone(),
            log: log.clone(),
            connections: connections_sender,
            epoch: epoch_sender,
        };
        let stopping = lifecycle.stopping().clone();
        lifecycle.spawn(async move {
            stopping.run_until_cancelled(watcher.run()).await;
        });
        Ok(Self { connections, epoch })
    }

    pub(crate) fn epoch(&self) -> Arc<str> {
        Arc::clone(&self.epoch.borrow())
    }
}

struct Watcher {
    nats: Client,
    log: Log,
    connections: watch::Sender<u64>,
    epoch: watch::Sender<Arc<str>>,
}

impl Watcher {
    async fn run(self) {
        let mut looks = interval(LOOK);
        let mut until_question = LOOKS_PER_QUESTION;
        loop {
            looks.tick().await;
            let is_new = replace(&self.connections, connection_count(&self.nats));
            until_question -= 1;
            if is_new || until_question == 0 {
                until_question = LOOKS_PER_QUESTION;
                self.ask().await;
            }
        }
    }

    async fn ask(&self) {
        match self.log.incarnation().await {
            Ok(Some(epoch)) => {
                if replace(&self.epoch, Arc::from(epoch)) {
                    tracing::error!("the stream of messages is not the one it was");
                }
            }
            Ok(None) => tracing::error!("the stream of messages has lost its incarnation"),
            Err(error) => tracing::debug!(%error, "cannot ask which log this is"),
        }
    }
}

pub(super) fn connection_count(nats: &Client) -> u64 {
    nats.statistics().connects.load(Ordering::Relaxed)
}

fn replace<T: PartialEq>(sender: &watch::Sender<T>, value: T) -> bool {
    sender.send_if_modified(|known| {
        let is_new = *known != value;
        *known = value;
        is_new
    })
}
