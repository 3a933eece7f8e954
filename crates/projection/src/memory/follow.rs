//! The two tasks of a model: one takes in events, one makes sure that it has them all.

use std::{sync::Arc, time::Duration};

use doran_eventstore::{LogReader, ReadError, Recorded, Start as From};
use futures_util::{FutureExt, StreamExt};
use tokio::time::sleep;

use super::{Fold, Start, model::Shared};
use crate::log::Beyond;

const CONTACT_EVERY: Duration = Duration::from_secs(1);
const RETRY_EVERY: Duration = Duration::from_millis(200);
/// Readers of the state wait no longer than these many events take.
const BATCH: usize = 256;

/// Takes in events for ever.
pub(super) async fn follow<F: Fold>(
    shared: Arc<Shared<F>>,
    reader: LogReader,
    filters: Vec<String>,
    start: Start,
) {
    let from = match start {
        Start::First => From::Sequence(1),
        Start::At(time) => From::Time(time),
    };
    let mut events = reader.follow(filters, from);
    while let Some(first) = events.next().await {
        let mut batch: Vec<Arc<Recorded>> = Vec::new();
        let mut next = Some(first);
        let mut end = None;
        while let Some(item) = next.take() {
            match item {
                Ok(event) => batch.push(event),
                Err(changed) => end = Some(changed),
            }
            if batch.len() < BATCH && end.is_none() {
                next = events.next().now_or_never().flatten();
            }
        }
        shared.take_in(batch);
        if let Some(changed) = end {
            shared.end(changed.to_string());
            return;
        }
    }
    shared.end("the log is not followed any more".to_owned());
}

/// Marks the model as ready when it holds what the log held, then looks every second, or when
/// somebody waits, whether something that fits is still to come.
pub(super) async fn keep_contact<F: Fold>(shared: Arc<Shared<F>>, start: Start) {
    get_ready(&shared, start).await;
    let mut waits_at = None;
    loop {
        if shared.is_over() {
            return;
        }
        let position = shared.position();
        let looked = async {
            let reach = shared.log.reach().await?;
            shared.log.beyond(&reach, position).await
        };
        match looked.await {
            Ok(Beyond::NothingUpTo(head)) => {
                waits_at = None;
                shared.advance(head);
                shared.touch();
            }
            // The first time it is just on its way; the second time it does not come.
            Ok(Beyond::Event { .. }) if waits_at == Some(position) => {}
            Ok(Beyond::Event { .. }) => waits_at = Some(position),
            Ok(Beyond::Unsure) => {}
            Err(error) => tracing::debug!(%error, stream = shared.log.stream(), "no contact"),
        }
        tokio::select! {
            () = sleep(CONTACT_EVERY) => {}
            () = shared.wanted.notified() => {}
        }
    }
}

async fn get_ready<F: Fold>(shared: &Shared<F>, start: Start) {
    let (head, last) = loop {
        match held(shared, start).await {
            Ok(held) => break held,
            Err(error) => {
                tracing::warn!(%error, stream = shared.log.stream(), "waiting for the log");
                sleep(RETRY_EVERY).await;
            }
        }
    };
    shared.wait_until(last).await;
    shared.advance(head);
    shared.set_ready();
}

/// The log's head, and the last event up to it that is to be folded.
async fn held<F: Fold>(shared: &Shared<F>, start: Start) -> Result<(u64, u64), ReadError> {
    let head = shared.log.reach().await?.head;
    let since = match start {
        Start::First => None,
        Start::At(time) => Some(time),
    };
    Ok((head, shared.log.last_since(since).await?))
}
