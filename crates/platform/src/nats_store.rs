//! How full the disk of the log is, as each server of it says.

use std::time::Duration;

use async_nats::Client;
use futures_util::StreamExt;
use serde::Deserialize;
use tokio::time::{interval, timeout};

use crate::Lifecycle;

const SUBJECT: &str = "$SYS.REQ.SERVER.PING.JSZ";
const MEASURE_EVERY: Duration = Duration::from_secs(15);
/// The servers of a cluster answer one after the other.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Deserialize)]
struct Answer {
    server: Server,
    data: Usage,
}

#[derive(Deserialize)]
struct Server {
    name: String,
}

#[derive(Deserialize)]
struct Usage {
    storage: u64,
    config: Option<Limits>,
}

#[derive(Deserialize)]
struct Limits {
    max_storage: u64,
}

/// Shows it until the process stops.
pub(crate) fn measure(client: &Client, lifecycle: &Lifecycle) {
    let (client, stopping) = (client.clone(), lifecycle.stopping().clone());
    lifecycle.spawn(async move {
        let mut looks = interval(MEASURE_EVERY);
        while stopping.run_until_cancelled(looks.tick()).await.is_some() {
            // No answer says that it is the last, so well is what takes all of the time.
            if let Ok(Err(error)) = timeout(PATIENCE, ask(&client)).await {
                tracing::debug!(error, "cannot ask how full the store is");
            }
        }
    });
}

async fn ask(client: &Client) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let inbox = client.new_inbox();
    let mut answers = client.subscribe(inbox.clone()).await?;
    let question = r#"{"config":true}"#.into();
    client.publish_with_reply(SUBJECT, inbox, question).await?;
    while let Some(answer) = answers.next().await {
        let Answer { server, data } = serde_json::from_slice(&answer.payload)?;
        let Some(limits) = data.config else { continue };
        let show = |name: &'static str, bytes| {
            metrics::gauge!(name, "server" => server.name.clone()).set(as_figure(bytes));
        };
        show("nats_store_bytes", data.storage);
        show("nats_store_limit_bytes", limits.max_storage);
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
fn as_figure(bytes: u64) -> f64 {
    bytes as f64
}
