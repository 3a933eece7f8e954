//! Reads ahead while a transaction runs.

use std::sync::Arc;

use doran_eventstore::Start;
use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::prepare::{Prepared, prepare};
use crate::{Halt, service::Model};

/// Sends the events from `first` on, prepared, until nobody takes them or the log changes.
pub(super) async fn read(
    model: Arc<Model>,
    first: u64,
    prepared: mpsc::Sender<Result<Prepared, Halt>>,
) {
    let filters = model.definition.filters().to_vec();
    let mut events = model.reader().follow(filters, Start::Sequence(first));
    while let Some(event) = events.next().await {
        let next = match event {
            Ok(event) if model.end.is_some_and(|end| event.sequence > end) => {
                std::future::pending::<()>().await;
                return;
            }
            Ok(event) => prepare(&model, event).await,
            Err(changed) => Err(Halt::LogChanged {
                reason: changed.to_string(),
            }),
        };
        let is_last = next.is_err();
        if prepared.send(next).await.is_err() || is_last {
            return;
        }
    }
}
