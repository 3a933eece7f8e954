//! Jobs for the operator's command line: the same as over HTTP, without a token.

use doran_contract::{
    Date, RunId,
    job::{Job, Run},
};
use doran_eventstore::{BoxError, LoadError};
use doran_platform::{
    Platform,
    database::{self, DatabaseError},
};
use doran_projection::{FolderError, SetupError};

use crate::{
    day,
    due::{self, Wanted},
    jobs::{self, JOBS},
    queries::{find_run, newest_of, newest_runs, planned},
    read_side::{SCHEMA, read_side},
    state::Service,
};

/// Why it cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    #[error("there is no job of that name; `doran jobs list` shows them")]
    UnknownJob,
    #[error(transparent)]
    Pool(#[from] DatabaseError),
    #[error("the database does not answer")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Log(#[from] LoadError),
    #[error(transparent)]
    ReadModel(#[from] FolderError),
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error("the job cannot be put among those that are due")]
    Queue(#[source] BoxError),
}

/// What the commands have at hand.
pub struct Jobs(Service);

impl Jobs {
    pub fn open(platform: &Platform) -> Result<Self, AdminError> {
        let pool = database::pool(&platform.config, SCHEMA)?;
        let positions = read_side()?
            .service(platform, pool.clone(), SCHEMA)?
            .positions();
        Ok(Self(Service::new(platform.clone(), pool, positions)))
    }

    /// Every job, when it is due, and how it went last.
    pub async fn list(&self) -> Result<Vec<Job>, AdminError> {
        let runs = newest_runs(&self.0.pool).await?;
        let mut all = Vec::new();
        for job in JOBS {
            all.push(planned(&self.0, job, &runs).await?);
        }
        Ok(all)
    }

    /// Wants a job run, by whichever process is free; yesterday is looked at unless told.
    pub async fn start(
        &self,
        name: &str,
        dry_run: bool,
        date: Option<Date>,
    ) -> Result<RunId, AdminError> {
        let job = jobs::find(name).ok_or(AdminError::UnknownJob)?;
        let clock = &self.0.platform.clock;
        let wanted = Wanted {
            run_id: RunId::new(clock.new_id()),
            dry_run,
            date: date.unwrap_or_else(|| day::yesterday(clock.now())),
            actor: None,
        };
        let put = due::put(&self.0, job.name, &wanted).await;
        put.map_err(AdminError::Queue)?;
        Ok(wanted.run_id)
    }

    /// How far a run is; none before a process took it up.
    pub async fn run(&self, run: RunId) -> Result<Option<Run>, AdminError> {
        Ok(find_run(&self.0.pool, run).await?)
    }

    /// The newest runs of one job, or of all.
    pub async fn runs(&self, job: Option<&str>, limit: u32) -> Result<Vec<Run>, AdminError> {
        Ok(newest_of(&self.0.pool, job, limit.into()).await?)
    }
}
