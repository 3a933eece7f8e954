//! `doran jobs run`.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use doran_batch::admin::Jobs;
use doran_contract::{
    Date, RunId,
    job::{Run as JobRun, RunState},
};

use super::{Options, figures, state};
use crate::{output, progress::Activity};

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
            let mut activity = Activity::new();
            let ended = until_ended(jobs, run, &mut activity).await;
            activity.end();
            ended
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

/// Shows what is counted meanwhile.
async fn until_ended(jobs: &Jobs, id: RunId, activity: &mut Activity) -> Result<JobRun> {
    let wanted_at = Instant::now();
    loop {
        match jobs.run(id).await? {
            None if wanted_at.elapsed() > TAKEN_UP => {
                bail!("no batch process has taken it up yet; {id} stays due");
            }
            None => activity.at("waits for a batch process"),
            Some(run) if run.state != RunState::Running => return Ok(run),
            Some(run) if run.figures.is_empty() => activity.at(&format!("{} runs", run.job)),
            Some(run) => activity.at(&format!("{} runs: {}", run.job, figures(&run))),
        }
        tokio::time::sleep(GLANCE).await;
    }
}
