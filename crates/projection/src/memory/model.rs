//! The model as its readers hold it.

use std::{
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use doran_eventstore::{Logs, Recorded};
use tokio::{
    sync::{Notify, broadcast, watch},
    time::{Instant, sleep, timeout, timeout_at},
};

use super::{Fold, FoldError, follow};
use crate::{Tasks, log::Log};

/// Starting fails when neither an event nor the end of the log comes for so long.
const STALLED_AFTER: Duration = Duration::from_secs(10);
/// How many changes a slow subscriber may lag behind before it is told that it missed some.
const CHANGES_KEPT: usize = 1024;
const GRACE: Duration = Duration::from_millis(5);
const ASK_AGAIN: Duration = Duration::from_millis(250);

/// Where folding begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the first event of the stream.
    First,
    /// With the first event stored at or after this time, by the server's clock.
    At(DateTime<Utc>),
}

/// State folded from one stream and kept fresh by it. Cheap to clone.
pub struct MemoryModel<F>(Arc<Shared<F>>);

pub(super) struct Shared<F> {
    pub(super) log: Log,
    pub(super) wanted: Notify,
    state: RwLock<F>,
    position: watch::Sender<u64>,
    is_ready: watch::Sender<bool>,
    is_over: AtomicBool,
    health: Mutex<Result<(), Unhealthy>>,
    contact: Mutex<Instant>,
    changes: broadcast::Sender<Arc<Recorded>>,
}

/// The model did not get through the log it found at its start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("nothing came from stream {stream} for 10 s; reading stopped at {position}")]
    Stalled { stream: String, position: u64 },
    #[error(transparent)]
    Unhealthy(#[from] Unhealthy),
}

/// The model could not be brought to a position in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the state in memory is at {reached}, {wanted} was asked for")]
pub struct Late {
    pub reached: u64,
    pub wanted: u64,
}

/// The model could not be brought to the log's head.
#[derive(Debug, thiserror::Error)]
pub enum CatchUpError {
    #[error("the log could not be asked for its last event")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error(transparent)]
    Late(#[from] Late),
}

/// The state lacks an event that it should have. Only a restart, mostly of a newer release, helps.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the state in memory is incomplete: {reason}")]
pub struct Unhealthy {
    pub reason: String,
}

impl<F: Fold> MemoryModel<F> {
    /// Starts to follow the stream and returns at once. No filters mean the whole stream.
    #[expect(clippy::needless_pass_by_value, reason = "callers make it on the spot")]
    pub fn spawn(
        logs: impl Into<Logs>,
        stream: &str,
        filters: &[&str],
        start: Start,
        fold: F,
        tasks: Tasks,
    ) -> Self {
        let logs = logs.into();
        let filters: Vec<String> = match filters {
            [] => vec![">".to_owned()],
            filters => filters.iter().map(|filter| (*filter).to_owned()).collect(),
        };
        let shared = Arc::new(Shared {
            log: Log::new(logs.js().clone(), stream, &filters),
            wanted: Notify::new(),
            state: RwLock::new(fold),
            position: watch::Sender::new(0),
            is_ready: watch::Sender::new(false),
            is_over: AtomicBool::new(false),
            health: Mutex::new(Ok(())),
            contact: Mutex::new(Instant::now()),
            changes: broadcast::Sender::new(CHANGES_KEPT),
        });
        let reader = logs.reader(stream);
        tasks.spawn(follow::follow(Arc::clone(&shared), reader, filters, start));
        tasks.spawn(follow::keep_contact(Arc::clone(&shared), start));
        Self(shared)
    }

    /// Starts to follow the stream and returns once everything has been folded that the log held.
    ///
    /// Takes as long as there is progress; fails after 10 s without any.
    pub async fn start(
        logs: impl Into<Logs>,
        stream: &str,
        filters: &[&str],
        start: Start,
        fold: F,
        tasks: Tasks,
    ) -> Result<Self, StartError> {
        let tasks = tasks.child();
        let model = Self::spawn(logs, stream, filters, start, fold, tasks.clone());
        match model.ready().await {
            Ok(()) => Ok(model),
            Err(error) => {
                tasks.cancel.cancel();
                Err(error)
            }
        }
    }

    /// Returns once the model has folded everything that the log held when it was started.
    pub async fn ready(&self) -> Result<(), StartError> {
        let mut is_ready = self.0.is_ready.subscribe();
        let mut position = self.0.position.subscribe();
        loop {
            let before = *position.borrow_and_update();
            let news = async {
                tokio::select! {
                    _ = is_ready.wait_for(|is_ready| *is_ready) => {}
                    _ = position.changed() => {}
                }
            };
            let is_stalled = timeout(STALLED_AFTER, news).await.is_err();
            self.health()?;
            if self.is_ready() {
                return Ok(());
            }
            if is_stalled {
                let stream = self.0.log.stream().to_owned();
                return Err(StartError::Stalled {
                    stream,
                    position: before,
                });
            }
        }
    }

    /// Whether it has folded everything that the log held when it was started.
    pub fn is_ready(&self) -> bool {
        *self.0.is_ready.borrow()
    }

    /// Looks at the state. Keep it short: events wait meanwhile.
    pub fn read<R>(&self, look: impl FnOnce(&F) -> R) -> R {
        look(&self.0.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The stream sequence up to which the state is complete.
    pub fn position(&self) -> u64 {
        self.0.position()
    }

    /// The position, as it moves.
    pub fn watch_position(&self) -> watch::Receiver<u64> {
        self.0.position.subscribe()
    }

    /// Every event from now on, each after it has been folded.
    ///
    /// A receiver that lags by more than 1024 events is told so; it then looks at the state anew.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Recorded>> {
        self.0.changes.subscribe()
    }

    /// Returns once the state is complete up to `sequence`, whether or not that event fits the
    /// filters.
    pub async fn wait_for(&self, sequence: u64, within: Duration) -> Result<(), Late> {
        let deadline = Instant::now() + within;
        let mut position = self.0.position.subscribe();
        let reached = async {
            tokio::select! {
                biased;
                _ = position.wait_for(|reached| *reached >= sequence) => {}
                () = self.0.keep_asking() => {}
            }
        };
        if self.position() >= sequence || timeout_at(deadline, reached).await.is_ok() {
            return Ok(());
        }
        Err(Late {
            reached: self.position(),
            wanted: sequence,
        })
    }

    /// Asks the log for the last event that fits `filter` and returns once it has been folded.
    pub async fn catch_up(&self, filter: &str, within: Duration) -> Result<(), CatchUpError> {
        let deadline = Instant::now() + within;
        let last = timeout_at(deadline, self.0.log.last(filter))
            .await
            .map_err(|elapsed| CatchUpError::Unavailable(elapsed.into()))?
            .map_err(|error| CatchUpError::Unavailable(error.into()))?;
        let left = deadline.saturating_duration_since(Instant::now());
        Ok(self.wait_for(last, left).await?)
    }

    /// When the log last answered and the state kept up with it. Looked after every second.
    pub fn last_contact(&self) -> Instant {
        *self
            .0
            .contact
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the state holds every event it was given.
    pub fn health(&self) -> Result<(), Unhealthy> {
        self.0.health()
    }
}

impl<F> Clone for MemoryModel<F> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<F> std::fmt::Debug for MemoryModel<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryModel")
            .field("log", &self.0.log)
            .field("position", &self.0.position())
            .finish_non_exhaustive()
    }
}

impl<F> Shared<F> {
    pub(super) fn position(&self) -> u64 {
        *self.position.borrow()
    }

    pub(super) async fn wait_until(&self, sequence: u64) {
        // The sender is part of `self`, so it cannot be gone.
        drop(
            self.position
                .subscribe()
                .wait_for(|reached| *reached >= sequence)
                .await,
        );
    }

    pub(super) fn advance(&self, position: u64) {
        self.position.send_if_modified(|reached| {
            let is_ahead = position > *reached;
            *reached = position.max(*reached);
            is_ahead
        });
    }

    pub(super) fn set_ready(&self) {
        self.is_ready.send_replace(true);
    }

    pub(super) fn touch(&self) {
        *self.contact.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    pub(super) fn health(&self) -> Result<(), Unhealthy> {
        self.health
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Nothing will be taken in any more, so nothing more can be known.
    pub(super) fn end(&self, reason: String) {
        self.is_over.store(true, Ordering::Release);
        self.fall_ill(reason);
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// The first reason stays.
    fn fall_ill(&self, reason: String) {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        if health.is_ok() {
            tracing::error!(
                stream = self.log.stream(),
                reason,
                "the state in memory is incomplete"
            );
            *health = Err(Unhealthy { reason });
        }
    }

    async fn keep_asking(&self) {
        sleep(GRACE).await;
        loop {
            self.wanted.notify_one();
            sleep(ASK_AGAIN).await;
        }
    }
}

impl<F: Fold> Shared<F> {
    /// Folds events under one lock, then tells of them.
    pub(super) fn take_in(&self, events: Vec<Arc<Recorded>>) {
        let mut failures = Vec::new();
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        for event in &events {
            if let Err(error) = state.apply(event) {
                failures.push(error);
            }
        }
        drop(state);
        for error in failures {
            self.note(&error);
        }
        self.touch();
        if let Some(last) = events.last() {
            self.advance(last.sequence);
        }
        if self.changes.receiver_count() > 0 {
            for event in events {
                // Without receivers nobody wants to know.
                drop(self.changes.send(event));
            }
        }
    }

    fn note(&self, error: &FoldError) {
        if error.is_unknown_type() {
            metrics::counter!("projection_unknown_types_total", "stream" => self.log.stream().to_owned())
                .increment(1);
        } else {
            self.fall_ill(error.to_string());
        }
    }
}
