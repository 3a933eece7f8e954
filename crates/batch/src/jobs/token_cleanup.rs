//! `token-cleanup`: sessions that ended a while ago leave the list, by an event of auth's.
//!
//! Reset tokens, tickets and counts of failed log-ins need no job: their buckets forget by age.

use std::time::Duration;

use anyhow::{Context, Result};
use chrono::TimeDelta;
use doran_contract::upkeep::{FORGET_SESSIONS, ForgetSessions, Forgotten};
use doran_platform::remote::ask;
use futures_util::FutureExt;

use super::Definition;
use crate::{run::Run, state::Service};

pub(crate) const JOB: Definition = Definition {
    name: "token-cleanup",
    description: "Forgets sessions that ended or expired more than a week ago",
    schedule: "0 0 3 * * *",
    work: |service, run| work(service, run).boxed(),
};

/// Long enough to see in the list what became of a device.
const KEPT: TimeDelta = TimeDelta::days(7);
/// Two hundred sessions are forgotten in one answer.
const PATIENCE: Duration = Duration::from_mins(1);

async fn work(service: &Service, run: &Run) -> Result<()> {
    run.begin_count("sessions");
    let mut after = None;
    loop {
        let forget = ForgetSessions {
            ended_before: (run.as_of() - KEPT).into(),
            dry_run: run.is_dry,
            after,
        };
        let forgotten = ask(&service.platform, FORGET_SESSIONS, &forget, PATIENCE).await;
        let forgotten: Forgotten = forgotten.context("asking auth to forget sessions")?;
        run.count("sessions", forgotten.sessions).await;
        after = forgotten.next;
        if after.is_none() {
            return Ok(());
        }
    }
}
