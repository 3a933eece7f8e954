//! One run as its job sees it: what to look at, and where to count.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use doran_contract::{
    Date, RunId,
    job::Figures,
    subject::{JOB_STREAM, MESSAGE_STREAM, ROOM_STREAM, SESSION_STREAM, USER_STREAM},
};
use doran_eventstore::{CommandContext, ExecuteError, LogReader, Outcome, Position};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    day,
    job::{Command, Error, Job, Started, What},
    jobs::Definition,
    state::Service,
};

/// Between two notes of how far it is.
const PROGRESS_EVERY: Duration = Duration::from_secs(2);
/// What the read models may take to have what the log had when the run began.
const CATCH_UP: Duration = Duration::from_mins(1);

pub(crate) struct Run {
    pub(crate) id: RunId,
    pub(crate) job: &'static str,
    /// Says what it would do, and does nothing.
    pub(crate) is_dry: bool,
    /// The last day that it looks at.
    pub(crate) date: Date,
    service: Service,
    counted: Mutex<Counted>,
}

struct Counted {
    figures: Figures,
    noted_at: Instant,
}

impl Run {
    pub(crate) fn new(service: Service, job: &Definition, id: RunId, started: Started) -> Self {
        Self {
            id,
            job: job.name,
            is_dry: started.dry_run,
            date: started.date,
            service,
            counted: Mutex::new(Counted {
                figures: Figures::new(),
                noted_at: Instant::now(),
            }),
        }
    }

    /// The end of its day: what is old is so at that moment.
    pub(crate) fn as_of(&self) -> DateTime<Utc> {
        day::end_of(self.date)
    }

    /// Waits until the read models have what the log has now.
    pub(crate) async fn catch_up(&self) -> Result<()> {
        let streams = [
            USER_STREAM,
            SESSION_STREAM,
            ROOM_STREAM,
            MESSAGE_STREAM,
            JOB_STREAM,
        ];
        let mut heads = Vec::new();
        for stream in streams {
            let reader = LogReader::new(self.service.platform.js.clone(), stream);
            let head = reader.head().await.context(stream)?;
            heads.push(Position::new(stream, head));
        }
        let caught_up = self.service.positions.wait(&heads, CATCH_UP).await;
        caught_up.context("the read models are behind")
    }

    /// Adds to a figure, and now and then notes how far the run is.
    pub(crate) async fn count(&self, figure: &str, by: u64) {
        let figures = {
            let mut counted = self.counted();
            *counted.figures.entry(figure.to_owned()).or_default() += by;
            if counted.noted_at.elapsed() < PROGRESS_EVERY {
                return;
            }
            counted.noted_at = Instant::now();
            counted.figures.clone()
        };
        tracing::info!(job = self.job, run = %self.id, ?figures, "a run goes on");
        let id = self.service.platform.clock.new_id();
        if let Err(error) = self.execute(id, What::Progress(self.id, figures)).await {
            // It shows how far the run is; the run itself goes on.
            tracing::warn!(job = self.job, run = %self.id, %error, "progress is not noted");
        }
    }

    /// A figure that shall be there even if nothing is counted.
    pub(crate) fn begin_count(&self, figure: &str) {
        self.counted().figures.entry(figure.to_owned()).or_default();
    }

    pub(crate) fn figures(&self) -> Figures {
        self.counted().figures.clone()
    }

    /// Does something to the job once, however often the run is taken up: `target` names it.
    pub(crate) async fn note(
        &self,
        target: &str,
        what: What,
    ) -> Result<Outcome<Job>, ExecuteError<Error>> {
        self.execute(self.command_id(target), what).await
    }

    /// The id of what this run asks for `target`.
    pub(crate) fn command_id(&self, target: &str) -> Uuid {
        Uuid::new_v5(&self.id.as_uuid(), target.as_bytes())
    }

    async fn execute(
        &self,
        command_id: Uuid,
        what: What,
    ) -> Result<Outcome<Job>, ExecuteError<Error>> {
        let ctx = context(&self.service, command_id, self.job);
        let command = Command {
            job: self.job,
            what,
        };
        self.service
            .jobs
            .execute(&(), self.job, command, &ctx)
            .await
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a job does of its own accord.
pub(crate) fn context(service: &Service, command_id: Uuid, actor: &str) -> CommandContext {
    CommandContext {
        command_id,
        time: service.platform.clock.now(),
        actor: Some(actor.to_owned()),
        fingerprint: None,
        expected_sequence: None,
        correlation_id: None,
        causation_id: None,
        traceparent: None,
        source: crate::commands::SOURCE,
    }
}
