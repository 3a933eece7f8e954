//! Watches one read model against the log: its lag, and whether it may advance while nothing for
//! it comes. Works in every process, leader or not, and while the database is away.

use std::{sync::Arc, time::Duration};

use tokio::time::{sleep, timeout};

use crate::{
    checkpoint,
    log::{Beyond, Log},
    service::Model,
    tracker::Advance,
};

const EVERY: Duration = Duration::from_secs(1);
const DATABASE_PATIENCE: Duration = Duration::from_secs(2);

/// Looks every second and whenever somebody waits. Never ends.
pub(crate) async fn watch(model: Arc<Model>) {
    let log = model.log();
    if !model.tracker.is_leading() {
        read_table(&model).await;
    }
    loop {
        look(&model, &log).await;
        tokio::select! {
            () = sleep(EVERY) => {}
            () = model.tracker.until_wanted() => {}
        }
    }
}

async fn look(model: &Model, log: &Log) {
    let tracker = &model.tracker;
    let position = tracker.position();
    match log.beyond(position).await {
        Ok(Beyond::NothingUpTo(head)) => {
            tracker.set_lag(head, 0.0);
            if head > position {
                tracker.skip(Advance {
                    from: position,
                    to: head,
                });
            }
        }
        Ok(Beyond::Event { head, time }) => {
            let age = (model.now() - time).to_std().unwrap_or_default();
            tracker.set_lag(head, age.as_secs_f64());
            if !tracker.is_leading() {
                read_table(model).await;
            }
        }
        // The next look will tell.
        Ok(Beyond::Unsure) => {}
        Err(error) => tracing::debug!(%error, read_model = model.name(), "cannot ask the log"),
    }
}

/// Makes up for notices that were lost, or sent before this process listened.
async fn read_table(model: &Model) {
    let read = checkpoint::read_from(&model.connections.pool, &model.schema, model.name());
    match timeout(DATABASE_PATIENCE, read).await {
        Ok(Ok(Some(position))) => model.tracker.advance(position),
        Ok(Ok(None)) | Err(_) => {}
        Ok(Err(error)) => {
            tracing::debug!(%error, read_model = model.name(), "cannot read the position");
        }
    }
}
