//! `GET /api/batch/jobs`: every job, when it is due, and how it went last.

use axum::extract::State;
use doran_contract::{
    Page,
    job::{Job, Run},
};
use doran_eventstore::LoadError;
use doran_platform::http::{Admin, Refusal, Success, UpToDate};

use super::run_row::newest_runs;
use crate::{
    jobs::{Definition, JOBS},
    state::Service,
};

pub(crate) async fn list_jobs(
    State(service): State<Service>,
    _: Admin,
    _: UpToDate,
) -> Result<Success<Page<Job>>, Refusal> {
    let runs = newest_runs(&service.pool).await?;
    let mut items = Vec::with_capacity(JOBS.len());
    for job in JOBS {
        items.push(planned(&service, job, &runs).await?);
    }
    Ok(Success::ok(Page {
        items,
        next_cursor: None,
    }))
}

pub(crate) async fn job_now(service: &Service, job: &Definition) -> Result<Job, Refusal> {
    let runs = newest_runs(&service.pool).await?;
    Ok(planned(service, job, &runs).await?)
}

pub(crate) async fn planned(
    service: &Service,
    job: &Definition,
    runs: &[Run],
) -> Result<Job, LoadError> {
    let plan = service.plan(job).await?;
    Ok(Job {
        name: job.name.to_owned(),
        description: job.description.to_owned(),
        next_run_at: plan.next_run_at(service.platform.clock.now()),
        schedule: plan.schedule,
        time_zone: plan.time_zone,
        paused: plan.paused,
        last_run: runs.iter().find(|run| run.job == job.name).cloned(),
    })
}
