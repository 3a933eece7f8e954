//! Leaders tell other processes how far they got: a core NATS message after each commit.
//!
//! At most once, which is enough: who misses one reads the table (see `monitor`).

use std::{sync::Arc, time::Duration};

use async_nats::{Client, Message, SubscribeError, Subscriber};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::tracker::Tracker;

/// A lost connection must not hold up the runner.
const PATIENCE: Duration = Duration::from_millis(100);
const SUBSCRIBE_AGAIN: Duration = Duration::from_secs(1);

/// The message on `projection.<schema>.<read model>.position`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notice {
    /// Another for each leader, and each time it becomes one.
    pub(crate) leadership: Uuid,
    pub(crate) position: u64,
    /// Parked aggregates.
    pub(crate) parked: u64,
}

pub(crate) async fn publish(client: &Client, schema: &str, read_model: &str, notice: Notice) {
    let subject = format!("projection.{schema}.{read_model}.position");
    let payload = serde_json::to_vec(&notice).expect("an id and two numbers are always JSON");
    let published = timeout(PATIENCE, client.publish(subject, payload.into())).await;
    if !matches!(published, Ok(Ok(()))) {
        tracing::debug!(schema, read_model, "a position notice was not sent");
    }
}

/// Hears the notices of one schema. Never ends.
pub(crate) async fn listen(client: Client, schema: Arc<str>, trackers: Vec<Arc<Tracker>>) {
    loop {
        match subscribe(&client, &schema).await {
            Ok(mut messages) => {
                while let Some(message) = messages.next().await {
                    hear(&trackers, &message);
                }
            }
            Err(error) => tracing::debug!(%error, "cannot listen to position notices"),
        }
        sleep(SUBSCRIBE_AGAIN).await;
    }
}

/// The notices of every read model in a schema.
pub(crate) async fn subscribe(client: &Client, schema: &str) -> Result<Subscriber, SubscribeError> {
    client
        .subscribe(format!("projection.{schema}.*.position"))
        .await
}

/// The read model that a notice is about, and what it says.
pub(crate) fn parse(message: &Message) -> Option<(&str, Notice)> {
    let read_model = message.subject.split('.').nth(2)?;
    let notice = serde_json::from_slice(&message.payload).ok()?;
    Some((read_model, notice))
}

fn hear(trackers: &[Arc<Tracker>], message: &Message) {
    let Some((read_model, notice)) = parse(message) else {
        return;
    };
    let mut trackers = trackers.iter();
    if let Some(tracker) = trackers.find(|tracker| tracker.read_model() == read_model) {
        tracker.heard(notice.leadership, notice.position, notice.parked);
    }
}
