//! `doran jobs runs`.

use anyhow::Result;
use doran_contract::job::Run;

use super::{Options, figures, state};
use crate::output;

/// List runs of one job or of all, newest first
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran jobs runs message-archive --limit 5")]
pub(crate) struct Runs {
    /// Whose runs
    job: Option<String>,
    /// List so many at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u32,
    #[command(flatten)]
    options: Options,
}

impl Runs {
    pub(crate) async fn run(self) -> Result<()> {
        let (json, job, limit) = (self.options.json, self.job, self.limit);
        let runs =
            async |jobs: &doran_batch::admin::Jobs| Ok(jobs.runs(job.as_deref(), limit).await?);
        let runs = self.options.with_jobs(runs).await?;
        if json {
            return runs.iter().try_for_each(output::json);
        }
        let headings = ["RUN", "JOB", "DAY", "STARTED", "STATE", "FIGURES"];
        Ok(output::table(headings, runs.iter().map(columns))?)
    }
}

fn columns(run: &Run) -> [String; 6] {
    let dry = if run.dry_run { " (dry)" } else { "" };
    [
        run.id.to_string(),
        format!("{}{dry}", run.job),
        run.date.to_string(),
        run.started_at.to_string(),
        state(run).to_owned(),
        output::printable(&figures(run)),
    ]
}
