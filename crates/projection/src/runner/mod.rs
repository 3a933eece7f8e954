//! Applies the events of one stream to the tables of one read model, in one process at a time.
//!
//! `session` is one leadership from connection to loss, `read` and `prepare` fetch ahead, `apply`
//! makes transactions, `failure` tells what kind of error it was, `statistics` keeps the planner
//! informed.

mod apply;
mod connect;
mod failure;
mod prepare;
mod read;
mod session;
mod statistics;

use std::{sync::Arc, time::Duration};

use backon::{BackoffBuilder, ExponentialBuilder};
use doran_eventstore::ReadError;
use tokio::time::{Instant, sleep};

pub(crate) use connect::connect;
pub(crate) use failure::{Failure, run_statement};
pub(crate) use prepare::{Prepared, Work, prepare};
pub(crate) use session::lock_name;

use crate::{Halt, Tasks, halted, service::Model};

const LOOK_AGAIN_AFTER_HALT: Duration = Duration::from_secs(30);
/// A session that lasted so long was not a failed start.
const SOUND_SESSION: Duration = Duration::from_secs(10);

/// Why a leadership ended, or never began.
#[derive(Debug)]
enum Ended {
    /// Something is away, or may be back at the next try.
    Retry(Box<dyn std::error::Error + Send + Sync>),
    /// Another runner moved the position.
    Fenced,
    Halted(Halt),
}

/// Leads whenever it can. Never ends.
pub(crate) async fn run(model: Arc<Model>, tasks: Tasks) {
    let _idle_in_the_end = IdleOnDrop(Arc::clone(&model));
    let mut delays = backoff();
    loop {
        let began = Instant::now();
        let position = model.tracker.position();
        let Err(ended) = session::lead(&model, &tasks).await;
        if tasks.cancel.is_cancelled() {
            return; // reading was stopped with everything else
        }
        if began.elapsed() > SOUND_SESSION || model.tracker.position() > position {
            delays = backoff();
        }
        let delay = match ended {
            Ended::Halted(halt) => {
                note_halt(&model, halt).await;
                LOOK_AGAIN_AFTER_HALT
            }
            Ended::Retry(error) => {
                note_retry(&model, &*error);
                delays.next().unwrap_or(LONGEST_DELAY)
            }
            Ended::Fenced => {
                tracing::warn!(
                    read_model = model.name(),
                    "another runner is ahead, standing by"
                );
                model.tracker.stand_by();
                delays.next().unwrap_or(LONGEST_DELAY)
            }
        };
        sleep(delay).await;
    }
}

struct IdleOnDrop(Arc<Model>);

impl Drop for IdleOnDrop {
    fn drop(&mut self) {
        self.0.tracker.idle();
    }
}

const LONGEST_DELAY: Duration = Duration::from_secs(2);

/// For ever: the number of tries has no limit.
fn backoff() -> impl Iterator<Item = Duration> + Send {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(50))
        .with_max_delay(LONGEST_DELAY)
        .with_jitter()
        .without_max_times()
        .build()
}

async fn note_halt(model: &Model, halt: Halt) {
    let text = halt.to_string();
    if model.tracker.halt(halt) {
        tracing::error!(schema = %model.schema, read_model = model.name(), "halted: {text}");
    }
    if let Err(error) = halted::note(model, &text).await {
        tracing::warn!(%error, read_model = model.name(), "why it stands still is not written down");
    }
}

/// The same error again and again is logged once.
fn note_retry(model: &Model, error: &(dyn std::error::Error + 'static)) {
    let text = failure::chain(error);
    if model.tracker.retry(text.clone()) {
        tracing::warn!(schema = %model.schema, read_model = model.name(), error = text, "retrying");
    }
}

impl Ended {
    fn retry(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Retry(error.into())
    }
}

impl From<sqlx::Error> for Ended {
    fn from(error: sqlx::Error) -> Self {
        Self::retry(error)
    }
}

impl From<ReadError> for Ended {
    fn from(error: ReadError) -> Self {
        Self::retry(error)
    }
}
