//! `doran users`: what operators do to people without a token.

mod change;
mod list;
mod promote;
mod scan;
mod suspend;

use anyhow::Result;
use doran_platform::{Config, Platform};

use crate::platform;

/// List people, make administrators, lock accounts, look for what is left of somebody
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Example:\n  doran users promote kim@example.com")]
pub(crate) enum Users {
    Promote(promote::Promote),
    Suspend(suspend::Suspend),
    List(list::List),
    Scan(scan::Scan),
}

/// Flags of those that need the servers.
#[derive(Debug, clap::Args)]
struct Options {
    /// Print JSON, one object a line
    #[arg(long)]
    json: bool,
    #[command(flatten, next_help_heading = "Servers and settings")]
    config: Config,
}

impl Users {
    pub(crate) async fn run(self) -> Result<()> {
        match self {
            Self::Promote(promote) => promote.run().await,
            Self::Suspend(suspend) => suspend.run().await,
            Self::List(list) => list.run().await,
            Self::Scan(scan) => scan.run(),
        }
    }
}

impl Options {
    /// Does `work` with what a role has, and nothing that serves.
    async fn with_platform<T>(self, work: impl AsyncFnOnce(&Platform) -> Result<T>) -> Result<T> {
        platform::with(self.config, "users", work).await
    }
}
