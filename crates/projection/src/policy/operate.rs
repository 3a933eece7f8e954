//! What operators see and do of policies, from any process.

use async_nats::jetstream::{self, context::ConsumerInfoErrorKind};
use doran_eventstore::BoxError;

use super::{Declaration, Parked, progress::Progress};

/// Why nothing can be said or done.
#[derive(Debug, thiserror::Error)]
pub enum OperateError {
    #[error("the policy has not run yet")]
    NotThere,
    #[error("nothing of this aggregate is parked")]
    NotParked,
    #[error("the log cannot be asked")]
    Unavailable(#[source] BoxError),
}

/// Where a policy stands.
#[derive(Clone, Debug)]
pub struct Report {
    pub consumer: String,
    /// Every event up to this one was handled or parked.
    pub handled_up_to: u64,
    /// Events that no process has been given yet.
    pub waiting: u64,
    /// Events that are being handled or come again.
    pub under_way: u64,
    pub parked: usize,
}

pub async fn report(
    js: &jetstream::Context,
    declaration: &Declaration,
) -> Result<Report, OperateError> {
    let consumer = declaration.consumer();
    let stream = js.get_stream_no_info(declaration.stream).await;
    let info = stream.map_err(unavailable)?.consumer_info(&consumer).await;
    let info = info.map_err(|error| match error.kind() {
        ConsumerInfoErrorKind::NotFound => OperateError::NotThere,
        _ => unavailable(error),
    })?;
    Ok(Report {
        consumer,
        handled_up_to: info.ack_floor.stream_sequence,
        waiting: info.num_pending,
        under_way: info.num_ack_pending as u64,
        parked: parked(js, declaration).await?.len(),
    })
}

/// The aggregates whose events wait for a repair.
pub async fn parked(
    js: &jetstream::Context,
    declaration: &Declaration,
) -> Result<Vec<Parked>, OperateError> {
    let progress = Progress::open(js, declaration).await.map_err(unavailable)?;
    progress.parked().await.map_err(unavailable)
}

/// Lets a parked aggregate go: the processes that run the policy handle its events, in their order.
pub async fn retry(
    js: &jetstream::Context,
    declaration: &Declaration,
    aggregate: &str,
) -> Result<(), OperateError> {
    let progress = Progress::open(js, declaration).await.map_err(unavailable)?;
    if !progress.is_parked(aggregate).await.map_err(unavailable)? {
        return Err(OperateError::NotParked);
    }
    progress.unpark(aggregate).await.map_err(unavailable)
}

fn unavailable(error: impl Into<BoxError>) -> OperateError {
    OperateError::Unavailable(error.into())
}
