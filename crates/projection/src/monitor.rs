//! Watches one read model against the log: its lag, and whether it may advance while nothing for
//! it comes. Works in every process, leader or not, and while the database is away.

use std::{sync::Arc, time::Duration};

use doran_eventstore::ReadError;
use tokio::time::{sleep, timeout};

use crate::{
    checkpoint,
    log::{Beyond, Log},
    service::Model,
    tracker::Advance,
};

const EVERY: Duration = Duration::from_secs(1);
const DATABASE_PATIENCE: Duration = Duration::from_secs(2);

struct Monitor {
    model: Arc<Model>,
    log: Log,
    /// Of the log that was seen first.
    incarnation: Option<String>,
}

/// Looks every second and whenever somebody waits. Never ends.
pub(crate) async fn watch(model: Arc<Model>) {
    let mut monitor = Monitor {
        log: model.log(),
        model,
        incarnation: None,
    };
    monitor.read_table().await;
    loop {
        if let Err(error) = monitor.look().await {
            tracing::debug!(%error, read_model = monitor.model.name(), "cannot ask the log");
        }
        tokio::select! {
            () = sleep(EVERY) => {}
            () = monitor.model.tracker.until_wanted() => {}
        }
    }
}

impl Monitor {
    async fn look(&mut self) -> Result<(), ReadError> {
        let tracker = &self.model.tracker;
        let mut reach = self.log.reach().await?;
        // Where there is an end, the log has no more as far as this read model is concerned.
        reach.head = reach.head.min(self.model.end.unwrap_or(u64::MAX));
        let is_another_log = self
            .incarnation
            .replace(reach.incarnation.clone())
            .is_some_and(|before| before != reach.incarnation);
        if !tracker.is_leading() && (is_another_log || reach.head < tracker.position()) {
            tracker.forget_position();
        }
        let position = tracker.position();
        match self.log.beyond(&reach, position).await? {
            Beyond::NothingUpTo(head) => {
                tracker.set_lag(head, 0.0);
                if head > position && !tracker.is_halted() {
                    tracker.skip(Advance {
                        from: position,
                        to: head,
                    });
                }
            }
            Beyond::Event { stored_at } => {
                let age = (self.model.now() - stored_at).to_std().unwrap_or_default();
                tracker.set_lag(reach.head, age.as_secs_f64());
                self.read_table().await;
            }
            // The next look will tell.
            Beyond::Unsure => {}
        }
        Ok(())
    }

    /// Makes up for notices that were lost, or sent before this process listened.
    async fn read_table(&self) {
        let tracker = &self.model.tracker;
        if tracker.is_leading() || tracker.is_halted() {
            return;
        }
        match timeout(DATABASE_PATIENCE, self.proven_position()).await {
            Ok(Ok(Some(position))) => tracker.advance(position),
            Ok(Ok(None)) | Err(_) => {}
            Ok(Err(error)) => {
                tracing::debug!(
                    error,
                    read_model = self.model.name(),
                    "cannot read the position"
                );
            }
        }
    }

    /// The position in the table, if it is one in this log.
    async fn proven_position(
        &self,
    ) -> Result<Option<u64>, Box<dyn std::error::Error + Send + Sync>> {
        let Some(checkpoint) = checkpoint::read(&self.model).await? else {
            return Ok(None);
        };
        let reach = self.log.reach().await?;
        let objection = checkpoint.objection(&self.model, &self.log, &reach).await?;
        Ok(objection.is_none().then(|| checkpoint.place().sequence))
    }
}
