//! The jobs, one file each. A new one is a file here and a line in [`JOBS`].

mod daily_report;
mod inactive_users;
mod message_archive;
mod projection_audit;
mod room_cleanup;
mod token_cleanup;

use anyhow::Result;
use futures_util::future::BoxFuture;

use crate::{day::ZONE, run::Run, schedule::Plan, state::Service};

/// Every job of this release.
pub(crate) const JOBS: &[&Definition] = &[
    &token_cleanup::JOB,
    &room_cleanup::JOB,
    &message_archive::JOB,
    &inactive_users::JOB,
    &daily_report::JOB,
    &projection_audit::JOB,
];

/// A job: how it is called, when it is due, and what it does.
///
/// It may be stopped at any point and done again under the same run, so each effect is one that can
/// be asked for twice.
pub(crate) struct Definition {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    /// Until somebody decides otherwise.
    pub(crate) schedule: &'static str,
    pub(crate) work: for<'a> fn(&'a Service, &'a Run) -> BoxFuture<'a, Result<()>>,
}

impl Definition {
    pub(crate) fn plan(&self) -> Plan {
        Plan {
            schedule: self.schedule.to_owned(),
            time_zone: ZONE.name().to_owned(),
            paused: false,
        }
    }
}

pub(crate) fn find(name: &str) -> Option<&'static Definition> {
    JOBS.iter().find(|job| job.name == name).copied()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::cron::Cron;

    #[test]
    fn every_job_has_a_name_of_its_own_and_a_schedule_that_comes_true() {
        let names: HashSet<_> = JOBS.iter().map(|job| job.name).collect();
        assert_eq!(names.len(), JOBS.len());
        for job in JOBS {
            assert!(Cron::parse(job.schedule).is_ok(), "{}", job.name);
            // It becomes a token of subjects.
            assert!(!job.name.contains(['.', '*', '>', ' ']), "{}", job.name);
        }
    }
}
