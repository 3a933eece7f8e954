//! What the NATS server says about itself: room on its disk, its clock, and what one may do there.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use async_nats::Client;
use chrono::{DateTime, TimeDelta, Utc};
use indicatif::HumanBytes;
use serde::{Deserialize, de::DeserializeOwned};
use tokio::time::timeout;

const STORE: &str = "$SYS.REQ.SERVER.PING.JSZ";
const CHANGE: &str = "$JS.API.STREAM.UPDATE.doctor";
/// A server that refuses says so to the connection, not to the question.
const ANSWERED: Duration = Duration::from_secs(2);
/// Beyond it the store is called nearly full.
const NEARLY_FULL_PERCENT: u64 = 85;
/// Tokens and times in events bear less.
const CLOCKS_MAY_DIFFER: TimeDelta = TimeDelta::seconds(2);

#[derive(Deserialize)]
struct Store {
    server: Server,
    data: Usage,
}

#[derive(Deserialize)]
struct Server {
    time: DateTime<Utc>,
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

/// How full the store is.
pub(super) async fn room(client: &Client) -> Result<String> {
    let store: Store = ask(client, STORE, r#"{"config":true}"#).await?;
    if store.data.disabled {
        bail!(
            "nats-server has shut JetStream down, as it does when its disk is full or broken; its \
             log says why; make room and start it again"
        );
    }
    let limits = store.data.config.context("JetStream is switched off")?;
    let (used, most) = (store.data.storage, limits.max_storage);
    let text = format!("NATS uses {} of {}", HumanBytes(used), HumanBytes(most));
    if used.saturating_mul(100) >= most.saturating_mul(NEARLY_FULL_PERCENT) {
        bail!("{text}; free disk space, or raise max_file_store in nats.conf");
    }
    Ok(text)
}

/// How far this machine's clock is from the server's and PostgreSQL's.
pub(super) async fn clock(
    client: &Client,
    now: impl Fn() -> DateTime<Utc>,
    postgres: Option<DateTime<Utc>>,
) -> Result<String> {
    let asked = now();
    let store: Store = ask(client, STORE, "").await?;
    let answered = now();
    // The answer was given somewhere in between.
    let between = asked + (answered - asked) / 2;
    let differences = [
        ("NATS", Some(store.server.time - between)),
        ("PostgreSQL", postgres.map(|time| time - asked)),
    ];
    let differences = differences
        .into_iter()
        .filter_map(|(server, difference)| difference.map(|difference| (server, difference)));
    let mut text = Vec::new();
    for (server, difference) in differences {
        let said = format!("{} ms from {server}'s", difference.num_milliseconds().abs());
        if difference.abs() > CLOCKS_MAY_DIFFER {
            bail!("{said}; let both machines take their time from one source (NTP)");
        }
        text.push(said);
    }
    Ok(text.join(", "))
}

/// Whether this user may do what tools do: it asks for a change of a stream that does not exist,
/// and whoever may ask is answered that.
pub(super) async fn rights(client: &Client, user: Option<&str>) -> Result<String> {
    let user = user.unwrap_or("without a name");
    let request = client.request(CHANGE, r#"{"name":"doctor"}"#.into());
    match timeout(ANSWERED, request).await {
        Ok(Ok(_not_found)) => Ok(format!("user {user} may do what tools do")),
        Ok(Err(_)) | Err(_) => bail!(
            "user {user} may not do what tools do; \
             set NATS_USER and NATS_PASSWORD of the user `all` in nats.conf"
        ),
    }
}

async fn ask<T: DeserializeOwned>(
    client: &Client,
    subject: &'static str,
    body: &'static str,
) -> Result<T> {
    let answer = client.request(subject, body.into()).await;
    let answer = answer.with_context(|| {
        format!("the server does not answer on {subject}; is nats.conf the project's?")
    })?;
    serde_json::from_slice(&answer.payload).context("the server's answer has another shape")
}
