//! `doran jobs run`.

use std::{
    io::{self, Write},
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use doran_batch::admin::Jobs;
use doran_contract::{
    Date, RunId,
    job::{Run as JobRun, RunState},
};

use super::{Options, figures, state};
use crate::output;

const GLANCE: Duration = Duration::from_millis(200);
/// A process that is free takes it up at once.
const TAKEN_UP: Duration = Duration::from_secs(30);

/// Run a job at once, on whichever batch process is free, and wait until it has ended
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  doran jobs run daily-report --date 2026-11-25\n  doran jobs run inactive-users --dry-run"
)]
pub(crate) struct Run {
    /// The job's name
    name: String,
    /// Count what would be done, and do nothing
    #[arg(long = "dry-run")]
    is_dry: bool,
    /// The last day to look at, yesterday unless told
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: Option<Date>,
    #[command(flatten)]
    options: Options,
}

impl Run {
    pub(crate) async fn run(self) -> Result<()> {
        let json = self.options.json;
        let run = async |jobs: &Jobs| {
            let run = jobs.start(&self.name, self.is_dry, self.date).await?;
            until_ended(jobs, run).await
        };
        let run = self.options.with_jobs(run).await?;
        if json {
            output::json(&run)?;
        } else {
            output::line(&format!("{} {}: {}", run.job, state(&run), figures(&run)))?;
        }
        match run.state {
            RunState::Failed => bail!("the run has failed"),
            RunState::Running | RunState::Succeeded => Ok(()),
        }
    }
}

/// What is counted meanwhile goes to standard error, whenever it is more.
async fn until_ended(jobs: &Jobs, id: RunId) -> Result<JobRun> {
    let wanted_at = Instant::now();
    let mut said = String::new();
    loop {
        let run = jobs.run(id).await?;
        if run.is_none() && wanted_at.elapsed() > TAKEN_UP {
            bail!("no batch process has taken it up yet; {id} stays due");
        }
        if let Some(run) = run {
            if run.state != RunState::Running {
                return Ok(run);
            }
            let counted = figures(&run);
            if counted != said {
                // Nobody has to listen.
                writeln!(io::stderr(), "{counted}").ok();
                said = counted;
            }
        }
        tokio::time::sleep(GLANCE).await;
    }
}
