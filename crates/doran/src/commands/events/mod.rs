//! `doran events`: what the log holds, for people and programs.

mod export;
mod filter;
mod line;
mod log;
mod open;
mod stretch;
mod tail;
mod verify;
mod view;

use anyhow::Result;
use doran_platform::Config;

/// Show, follow, export and verify events
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Example:\n  doran events view USER --type UserCreated --limit 10")]
pub(crate) enum Events {
    View(view::View),
    Tail(tail::Tail),
    Export(export::Export),
    Verify(verify::Verify),
}

/// Flags of all of them.
#[derive(Debug, clap::Args)]
struct Options {
    /// Open sealed fields; needs the master key
    #[arg(long)]
    open: bool,
    #[command(flatten, next_help_heading = "Servers and settings")]
    config: Config,
}

impl Events {
    pub(crate) async fn run(self) -> Result<()> {
        match self {
            Self::View(view) => view.run().await,
            Self::Tail(tail) => tail.run().await,
            Self::Export(export) => export.run().await,
            Self::Verify(verify) => verify.run().await,
        }
    }
}
