//! `doran jobs`: what happens by the clock.

mod list;
mod run;
mod runs;

use anyhow::Result;
use doran_batch::admin;
use doran_contract::job::{Run as JobRun, RunState};
use doran_platform::Config;

use crate::platform;

/// See when jobs are due and how they went, and run one at once
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "Example:\n  doran jobs run daily-report --date 2026-11-25")]
pub(crate) enum Jobs {
    List(list::List),
    Run(run::Run),
    Runs(runs::Runs),
}

/// Flags of all three.
#[derive(Debug, clap::Args)]
struct Options {
    /// Print JSON, one object a line
    #[arg(long)]
    json: bool,
    #[command(flatten, next_help_heading = "Servers and settings")]
    config: Config,
}

impl Jobs {
    pub(crate) async fn run(self) -> Result<()> {
        match self {
            Self::List(list) => list.run().await,
            Self::Run(run) => run.run().await,
            Self::Runs(runs) => runs.run().await,
        }
    }
}

impl Options {
    async fn with_jobs<T>(self, work: impl AsyncFnOnce(&admin::Jobs) -> Result<T>) -> Result<T> {
        platform::with(self.config, "jobs", async |platform| {
            work(&admin::Jobs::open(platform)?).await
        })
        .await
    }
}

fn state(run: &JobRun) -> &'static str {
    match run.state {
        RunState::Running => "running",
        RunState::Succeeded => "succeeded",
        RunState::Failed => "failed",
    }
}

/// What it has counted, and why it failed.
fn figures(run: &JobRun) -> String {
    let figures = run
        .figures
        .iter()
        .map(|(name, figure)| format!("{name} {figure}"));
    let figures: Vec<_> = figures.chain(run.error.clone()).collect();
    figures.join(", ")
}
