//! How full the disk of the log is, as each server of it says, and whether it still keeps a log at
//! all: a server that could not write shuts JetStream down until it is started again.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_nats::Client;
use futures_util::StreamExt;
use serde::Deserialize;
use tokio::time::{interval, timeout};

use crate::Lifecycle;

const SUBJECT: &str = "$SYS.REQ.SERVER.PING.JSZ";
const MEASURE_EVERY: Duration = Duration::from_secs(5);
/// The servers of a cluster answer one after the other.
const PATIENCE: Duration = Duration::from_secs(2);
/// What of the room must be free before a full store counts as writable again: what is overwritten
/// meanwhile would else open and close it.
const FREE_AGAIN_PERCENT: u64 = 1;

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
    #[serde(default)]
    disabled: bool,
    storage: u64,
    config: Option<Limits>,
}

#[derive(Deserialize)]
struct Limits {
    max_storage: u64,
}

/// What a server said of its store when it was asked last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Open,
    Full,
    /// It could not write, and keeps no log until it is started again.
    ShutDown,
}

/// The state of every server's store.
#[derive(Clone, Default)]
pub(crate) struct Fullness(Arc<Mutex<BTreeMap<String, State>>>);

impl Fullness {
    /// An error names the servers that take nothing.
    pub(crate) fn check(&self) -> Result<(), String> {
        let servers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let reasons: Vec<_> = servers
            .iter()
            .filter_map(|(name, state)| Some(format!("{name} {}", state.trouble()?)))
            .collect();
        if reasons.is_empty() {
            return Ok(());
        }
        Err(reasons.join("; "))
    }

    fn note(&self, server: &str, usage: &Usage, limits: &Limits) -> State {
        let mut servers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let state = servers.entry(server.to_owned()).or_default();
        *state = state.after(usage, limits);
        *state
    }
}

impl State {
    fn trouble(self) -> Option<&'static str> {
        match self {
            Self::Open => None,
            Self::Full => Some("has no room left, so nothing can be written"),
            Self::ShutDown => Some(
                "has shut JetStream down, as it does when its disk is full or broken: make room \
                 and start nats-server again",
            ),
        }
    }

    fn after(self, usage: &Usage, limits: &Limits) -> Self {
        if usage.disabled {
            Self::ShutDown
        } else if is_full_now(self == Self::Full, usage.storage, limits.max_storage) {
            Self::Full
        } else {
            Self::Open
        }
    }
}

/// The server refuses what comes once it has more than its limit.
fn is_full_now(was_full: bool, used: u64, limit: u64) -> bool {
    if was_full {
        used.saturating_mul(100) > limit.saturating_mul(100 - FREE_AGAIN_PERCENT)
    } else {
        used > limit
    }
}

/// Shows it until the process stops.
pub(crate) fn measure(client: &Client, lifecycle: &Lifecycle) -> Fullness {
    let fullness = Fullness::default();
    let (client, stopping) = (client.clone(), lifecycle.stopping().clone());
    let noted = fullness.clone();
    lifecycle.spawn(async move {
        let mut looks = interval(MEASURE_EVERY);
        while stopping.run_until_cancelled(looks.tick()).await.is_some() {
            // No answer says that it is the last, so well is what takes all of the time.
            if let Ok(Err(error)) = timeout(PATIENCE, ask(&client, &noted)).await {
                tracing::debug!(error, "cannot ask how full the store is");
            }
        }
    });
    fullness
}

async fn ask(
    client: &Client,
    fullness: &Fullness,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let inbox = client.new_inbox();
    let mut answers = client.subscribe(inbox.clone()).await?;
    let question = r#"{"config":true}"#.into();
    client.publish_with_reply(SUBJECT, inbox, question).await?;
    while let Some(answer) = answers.next().await {
        let Answer { server, data } = serde_json::from_slice(&answer.payload)?;
        let Some(limits) = &data.config else { continue };
        let show = |name: &'static str, figure| {
            metrics::gauge!(name, "server" => server.name.clone()).set(as_figure(figure));
        };
        let state = fullness.note(&server.name, &data, limits);
        show("nats_store_full", (state != State::Open).into());
        // It says 0 of 0 then.
        if state != State::ShutDown {
            show("nats_store_bytes", data.storage);
            show("nats_store_limit_bytes", limits.max_storage);
        }
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
fn as_figure(figure: u64) -> f64 {
    figure as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_full_beyond_its_limit_and_until_a_hundredth_is_free() {
        assert!(!is_full_now(false, 1000, 1000));
        assert!(is_full_now(false, 1001, 1000));
        assert!(is_full_now(true, 991, 1000));
        assert!(!is_full_now(true, 990, 1000));
    }

    #[test]
    fn a_server_that_takes_nothing_is_named_with_the_reason() {
        let fullness = Fullness::default();
        let note = |server, storage, disabled| {
            let usage = Usage {
                disabled,
                storage,
                config: None,
            };
            let max_storage = if disabled { 0 } else { 1000 };
            fullness.note(server, &usage, &Limits { max_storage })
        };
        assert_eq!(note("doran-1", 10, false), State::Open);
        assert_eq!(fullness.check(), Ok(()));
        assert_eq!(note("doran-2", 1001, false), State::Full);
        assert_eq!(note("doran-3", 0, true), State::ShutDown);
        let reasons = fullness.check().unwrap_err();
        assert!(reasons.starts_with("doran-2 has no room"), "{reasons}");
        assert!(
            reasons.contains("doran-3 has shut JetStream down"),
            "{reasons}"
        );
        assert_eq!(note("doran-2", 10, false), State::Open);
        assert_eq!(note("doran-3", 10, false), State::Open);
        assert_eq!(fullness.check(), Ok(()));
    }
}
