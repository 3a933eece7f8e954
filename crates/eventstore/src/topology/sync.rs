//! Whether the servers sync before they acknowledge.
//!
//! Measured with nats-server 2.15.1: no answer of the JetStream API shows `sync_interval`, but
//! `$SYS.REQ.SERVER.PING.JSZ` with `{"config":true}` answers, once for each server of a cluster,
//! with `data.config.sync_always: true` (left out when false) and `data.config.sync_interval` in
//! nanoseconds (two minutes also with `always`). The subject belongs to the system account; a
//! service import of it under the same name works from any account, for R1 and in a cluster:
//!
//! ```text
//! SYS   { exports: [ { service: "$SYS.REQ.SERVER.PING.JSZ", response_type: stream } ] }
//! DORAN { imports: [ { service: { account: SYS, subject: "$SYS.REQ.SERVER.PING.JSZ" } } ] }
//! ```
//!
//! Without the import the request has no responders, and with a permission missing no answer.

use std::time::Duration;

use async_nats::{Client, StatusCode};
use futures_util::StreamExt;
use serde::Deserialize;

use crate::{
    BoxError,
    deadline::{Deadline, READ},
};

const SUBJECT: &str = "$SYS.REQ.SERVER.PING.JSZ";
/// After the first answer the others of a cluster follow within a few milliseconds.
const QUIET: Duration = Duration::from_millis(300);

/// One server's word on its JetStream.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    server: Server,
    data: Data,
}

#[derive(Debug, Deserialize)]
struct Server {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Data {
    /// None where JetStream is switched off.
    config: Option<JetStreamConfig>,
}

#[derive(Debug, Deserialize)]
struct JetStreamConfig {
    #[serde(default)]
    sync_always: bool,
    #[serde(default)]
    sync_interval: u64,
}

/// A server that acknowledges before fsync.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unsynced {
    pub(super) server: String,
    pub(super) setting: String,
}

/// The servers that acknowledge before fsync, of those that answer.
pub(super) async fn unsynced(client: &Client) -> Result<Vec<Unsynced>, BoxError> {
    let deadline = Deadline::after(READ);
    let inbox = client.new_inbox();
    let mut answers = deadline.wait_for(client.subscribe(inbox.clone())).await??;
    let asked = client.publish_with_reply(SUBJECT, inbox, r#"{"config":true}"#.into());
    deadline.wait_for(asked).await??;

    let mut servers: Vec<Answer> = Vec::new();
    loop {
        let limit = if servers.is_empty() {
            deadline
        } else {
            deadline.within(QUIET)
        };
        match limit.wait_for(answers.next()).await {
            Ok(Some(answer)) if answer.status == Some(StatusCode::NO_RESPONDERS) => {
                return Err("nobody answers there in this account".into());
            }
            Ok(Some(answer)) => servers.push(serde_json::from_slice(&answer.payload)?),
            Ok(None) => return Err("the connection was closed".into()),
            Err(elapsed) if servers.is_empty() => return Err(elapsed.into()),
            Err(_quiet) => return Ok(servers.into_iter().filter_map(Answer::unsynced).collect()),
        }
    }
}

impl Answer {
    fn unsynced(self) -> Option<Unsynced> {
        let config = self.data.config.filter(|config| !config.sync_always)?;
        Some(Unsynced {
            server: self.server.name,
            setting: format!("{:?}", Duration::from_nanos(config.sync_interval)),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn unsynced(config: &Value) -> Option<Unsynced> {
        let answer = json!({ "server": { "name": "n1" }, "data": { "config": config } });
        serde_json::from_value::<Answer>(answer).unwrap().unsynced()
    }

    #[test]
    fn only_a_server_that_syncs_always_acknowledges_after_fsync() {
        assert_eq!(
            unsynced(&json!({ "sync_interval": 120_000_000_000_u64, "sync_always": true })),
            None
        );
        let default = unsynced(&json!({ "sync_interval": 120_000_000_000_u64 })).unwrap();
        assert_eq!(
            (default.server.as_str(), default.setting.as_str()),
            ("n1", "120s")
        );
    }

    #[test]
    fn a_server_without_jetstream_acknowledges_nothing() {
        assert_eq!(unsynced(&Value::Null), None);
    }
}
