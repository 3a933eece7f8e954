//! `doran streams check`: what every role checks before it runs.

use anyhow::Result;
use doran_eventstore::topology::CheckOptions;
use doran_platform::streams;
use serde_json::json;

use super::Options;
use crate::{exit::dependency, output};

/// Check version, streams and durability of the server as every role does at its start
///
/// Ends with code 3 when a role would refuse to run, naming what differs and how to mend it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran streams check || doran streams apply")]
pub(crate) struct Check {
    #[command(flatten)]
    options: Options,
}

impl Check {
    pub(crate) async fn run(self) -> Result<()> {
        let js = self.options.connect().await?;
        let topology = streams::topology()?;
        let options = CheckOptions {
            replicas: self.options.replicas(),
            allow_unsynced: self.options.config.allow_unsynced,
        };
        let durability = topology.check(&js, options).await.map_err(dependency)?;
        let count = topology.streams.len();
        if self.options.json {
            return output::json(
                &json!({ "streams": count, "durability": durability.to_string() }),
            );
        }
        Ok(output::line(&format!(
            "{count} streams are as they should be; an acknowledgement means: {durability}"
        ))?)
    }
}
