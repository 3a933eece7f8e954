//! What becomes of jobs: when they are due, their runs, and what those leave behind.

use serde::{Deserialize, Serialize};

use super::events;
use crate::{
    Date, RunId, UserId,
    job::{Figures, Report},
};

events! {
    /// Stream `JOB`, subject `job.<name>.<Type>`.
    JobEvent, JOB_EVENTS {
        JobScheduleChanged = "JobScheduleChanged" v 1,
        JobRunStarted = "JobRunStarted" v 1,
        JobRunProgressed = "JobRunProgressed" v 1,
        JobRunCompleted = "JobRunCompleted" v 1,
        JobRunFailed = "JobRunFailed" v 1,
        DailyReportMade = "DailyReportMade" v 1,
        InactivityNoticeSent = "InactivityNoticeSent" v 1,
    }
}

/// When the job is due from now on. A job without one has the schedule of its release.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct JobScheduleChanged {
    pub job: String,
    pub schedule: String,
    pub time_zone: String,
    pub paused: bool,
}

/// Once for each run, also if it is taken up again by another process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct JobRunStarted {
    pub job: String,
    pub run_id: RunId,
    pub dry_run: bool,
    /// The last day that the run looks at.
    pub date: Date,
}

/// How far the run is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct JobRunProgressed {
    pub job: String,
    pub run_id: RunId,
    pub figures: Figures,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct JobRunCompleted {
    pub job: String,
    pub run_id: RunId,
    pub figures: Figures,
}

/// No further try is made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct JobRunFailed {
    pub job: String,
    pub run_id: RunId,
    pub error: String,
    pub figures: Figures,
}

/// Replaces what was reported of that day before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DailyReportMade {
    pub job: String,
    pub report: Report,
}

/// Somebody was told by mail that their account will be deleted if they stay away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct InactivityNoticeSent {
    pub job: String,
    pub user_id: UserId,
}
