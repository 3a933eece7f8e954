//! `doran streams`: the streams, lanes and buckets of `streams/` against a server.

mod apply;
mod check;
mod diff;

use anyhow::Result;
use async_nats::jetstream;
use doran_platform::{Config, nats};

use crate::exit::dependency;

/// Create, compare and check the streams
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Example:\n  doran streams apply && doran streams check")]
pub(crate) enum Streams {
    Apply(apply::Apply),
    Diff(diff::Diff),
    Check(check::Check),
}

/// Flags of all three.
#[derive(Debug, clap::Args)]
struct Options {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten, next_help_heading = "Servers and settings")]
    config: Config,
}

impl Streams {
    pub(crate) async fn run(self) -> Result<()> {
        match self {
            Self::Apply(apply) => apply.run().await,
            Self::Diff(diff) => diff.run().await,
            Self::Check(check) => check.run().await,
        }
    }
}

impl Options {
    fn replicas(&self) -> Option<usize> {
        self.config.replicas.map(usize::from)
    }

    async fn connect(&self) -> Result<jetstream::Context> {
        let client = nats::connect(&self.config, "doran streams")
            .await
            .map_err(dependency)?;
        Ok(jetstream::new(client))
    }
}
