//! A rebuild under way as figures of the service whose tables it will be: the tool that builds
//! them exports none. It is heard by its position notices, as any other runner is.

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_nats::{Client, Message};
use futures_util::StreamExt;
use metrics::gauge;
use tokio::time::{Instant, interval, sleep};

use crate::notice::{self, Notice};

/// A leader tells its position at least every 5 s.
const SILENCE: Duration = Duration::from_secs(15);
const LOOK_EVERY: Duration = Duration::from_secs(5);
const SUBSCRIBE_AGAIN: Duration = Duration::from_secs(1);

/// Hears the notices of `<schema>_next`. Never ends.
pub(crate) async fn watch(client: Client, schema: Arc<str>) {
    let next = format!("{schema}_next");
    loop {
        match notice::subscribe(&client, &next).await {
            Ok(notices) => follow(&schema, notices).await,
            Err(error) => tracing::debug!(%error, "cannot listen to a rebuild's notices"),
        }
        sleep(SUBSCRIBE_AGAIN).await;
    }
}

async fn follow(schema: &str, notices: impl futures_util::Stream<Item = Message>) {
    let mut notices = std::pin::pin!(notices);
    let mut heard: HashMap<String, Instant> = HashMap::new();
    let mut look = interval(LOOK_EVERY);
    loop {
        tokio::select! {
            message = notices.next() => {
                let Some(message) = message else { return };
                if let Some((read_model, Notice { position, .. })) = notice::parse(&message) {
                    record(schema, read_model, position);
                    heard.insert(read_model.to_owned(), Instant::now());
                }
            }
            _ = look.tick() => heard.retain(|read_model, last| {
                let is_under_way = last.elapsed() < SILENCE;
                if !is_under_way {
                    record(schema, read_model, 0);
                }
                is_under_way
            }),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
fn record(schema: &str, read_model: &str, position: u64) {
    gauge!("projection_rebuild_position", "service" => schema.to_owned(),
        "read_model" => read_model.to_owned())
    .set(position as f64);
}
