use cqrs_es::test::TestFramework;
use doran_contract::{
    RunId,
    events::{JobEvent, JobRunCompleted, JobRunFailed, JobRunStarted, JobScheduleChanged},
    job::Figures,
};
use uuid::Uuid;

use super::{Command, Error, Job, Started, What};
use crate::schedule::Plan;

const JOB: &str = "daily-report";
const RUN: RunId = RunId::new(Uuid::from_u128(1));

fn started() -> Started {
    Started {
        dry_run: false,
        date: "2026-03-01".parse().unwrap(),
    }
}

fn command(what: What) -> Command {
    Command { job: JOB, what }
}

fn run_started() -> JobEvent {
    let Started { dry_run, date } = started();
    JobRunStarted {
        job: JOB.to_owned(),
        run_id: RUN,
        dry_run,
        date,
    }
    .into()
}

fn run_completed() -> JobEvent {
    JobRunCompleted {
        job: JOB.to_owned(),
        run_id: RUN,
        figures: Figures::new(),
    }
    .into()
}

fn plan(paused: bool) -> Plan {
    Plan {
        schedule: "0 0 3 * * *".to_owned(),
        time_zone: "UTC".to_owned(),
        paused,
    }
}

fn changed(paused: bool) -> JobEvent {
    JobScheduleChanged {
        job: JOB.to_owned(),
        schedule: "0 0 3 * * *".to_owned(),
        time_zone: "UTC".to_owned(),
        paused,
    }
    .into()
}

#[test]
fn a_run_that_is_taken_up_again_has_started_already() {
    TestFramework::<Job>::with(())
        .given(vec![run_started()])
        .when(command(What::Start(RUN, started())))
        .then_expect_events(Vec::new());
}

#[test]
fn a_run_that_has_ended_is_not_started_again() {
    TestFramework::<Job>::with(())
        .given(vec![run_started(), run_completed()])
        .when(command(What::Start(RUN, started())))
        .then_expect_error(Error::RunEnded);
}

#[test]
fn a_run_ends_once_whoever_ran_it_too() {
    TestFramework::<Job>::with(())
        .given(vec![run_started(), run_completed()])
        .when(command(What::Complete(RUN, Figures::new())))
        .then_expect_error(Error::RunEnded);
    TestFramework::<Job>::with(())
        .given(vec![run_started(), run_completed()])
        .when(command(What::Fail(RUN, "late".to_owned(), Figures::new())))
        .then_expect_error(Error::RunEnded);
}

#[test]
fn a_run_fails_with_its_reason() {
    let failed = JobRunFailed {
        job: JOB.to_owned(),
        run_id: RUN,
        error: "why".to_owned(),
        figures: Figures::new(),
    };
    TestFramework::<Job>::with(())
        .given(vec![run_started()])
        .when(command(What::Fail(RUN, "why".to_owned(), Figures::new())))
        .then_expect_events(vec![failed.into()]);
}

#[test]
fn nobody_ends_a_run_that_never_began() {
    TestFramework::<Job>::with(())
        .given_no_previous_events()
        .when(command(What::Complete(RUN, Figures::new())))
        .then_expect_error(Error::UnknownRun);
}

#[test]
fn the_same_schedule_again_is_no_change() {
    TestFramework::<Job>::with(())
        .given(vec![changed(false)])
        .when(command(What::Change(plan(false))))
        .then_expect_events(Vec::new());
    TestFramework::<Job>::with(())
        .given(vec![changed(false)])
        .when(command(What::Change(plan(true))))
        .then_expect_events(vec![changed(true)]);
}
