//! `doran jobs list`.

use anyhow::Result;
use doran_contract::job::Job;

use super::{Options, state};
use crate::output;

/// List the jobs, when each is due, and how it went last
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran jobs list --json")]
pub(crate) struct List {
    #[command(flatten)]
    options: Options,
}

impl List {
    pub(crate) async fn run(self) -> Result<()> {
        let json = self.options.json;
        let jobs = self.options.with_jobs(async |jobs| Ok(jobs.list().await?));
        let jobs = jobs.await?;
        if json {
            return jobs.iter().try_for_each(output::json);
        }
        let headings = ["JOB", "SCHEDULE", "ZONE", "NEXT", "LAST", "STATE"];
        Ok(output::table(headings, jobs.iter().map(columns))?)
    }
}

fn columns(job: &Job) -> [String; 6] {
    let next = job.next_run_at.map(|next| next.to_string());
    let last = job.last_run.as_ref();
    [
        job.name.clone(),
        job.schedule.clone(),
        job.time_zone.clone(),
        next.unwrap_or_else(|| "paused".to_owned()),
        last.map(|run| run.started_at.to_string())
            .unwrap_or_default(),
        last.map(|run| state(run).to_owned()).unwrap_or_default(),
    ]
}
