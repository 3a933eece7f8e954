//! `PATCH /api/batch/jobs/{name}`: when a job is due from now on, or that it rests.

use std::str::FromStr;

use axum::extract::{Path, State};
use chrono_tz::Tz;
use doran_contract::job::Job;
use doran_platform::http::{Admin, Body, CommandHeaders, Refusal, Success};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{SOURCE, named};
use crate::{
    cron::Cron,
    job::{Command, What},
    queries::list_jobs::job_now,
    schedule::{Plan, arrange},
    state::Service,
};

/// What is left out stays as it is.
#[derive(Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    #[garde(inner(length(chars, max = 200), custom(readable_cron)))]
    schedule: Option<String>,
    #[garde(inner(custom(known_zone)))]
    time_zone: Option<String>,
    #[garde(skip)]
    paused: Option<bool>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form that garde calls"
)]
fn readable_cron(text: &str, (): &()) -> garde::Result {
    let parsed = Cron::parse(text);
    parsed.map(drop).map_err(garde::Error::new)
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form that garde calls"
)]
fn known_zone(text: &str, (): &()) -> garde::Result {
    let parsed = Tz::from_str(text);
    let unknown = |_error| garde::Error::new("must be an IANA time zone such as Asia/Seoul");
    parsed.map(drop).map_err(unknown)
}

pub(crate) async fn change_job(
    State(service): State<Service>,
    Admin(actor): Admin,
    Path(name): Path<String>,
    headers: CommandHeaders,
    body: Body<Request>,
) -> Result<Success<Job>, Refusal> {
    let job = named(&name)?;
    let ctx = headers.context(&service.platform, SOURCE, Some(actor.user_id), &body.raw);
    let before = service.plan(job).await?;
    let request = body.value;
    let plan = Plan {
        schedule: request.schedule.unwrap_or(before.schedule),
        time_zone: request.time_zone.unwrap_or(before.time_zone),
        paused: request.paused.unwrap_or(before.paused),
    };
    let command = Command {
        job: job.name,
        what: What::Change(plan),
    };
    let outcome = service.jobs.execute(&(), job.name, command, &ctx).await?;
    if let Err(error) = arrange(&service, job).await {
        // The decision stands, and the schedule follows it within a minute.
        tracing::warn!(job = job.name, error, "a schedule is not arranged");
    }
    let job = job_now(&service, job).await?;
    Ok(Success::ok(job)
        .at(&outcome.position)
        .version(outcome.sequence))
}
