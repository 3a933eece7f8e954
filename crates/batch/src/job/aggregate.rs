//! What may happen to a job, decided without clock, randomness or I/O.
//!
//! Two processes that both believe to have a run end it once: the second finds it ended.

use std::collections::{BTreeMap, VecDeque};

use cqrs_es::{Aggregate, event_sink::EventSink};
use doran_contract::{
    Date, RunId, UserId,
    events::{
        DailyReportMade, InactivityNoticeSent, JOB_EVENTS, JobEvent, JobRunCompleted, JobRunFailed,
        JobRunProgressed, JobRunStarted, JobScheduleChanged,
    },
    job::{Figures, Report},
    subject::{JOB, JOB_STREAM},
};
use doran_eventstore::{EventSourced, Schema};
use doran_platform::event_schema;
use serde::{Deserialize, Serialize};

use super::Error;
use crate::schedule::Plan;

/// Runs that are known to have ended. A due message comes again within hours, not after so many.
const REMEMBERED: usize = 256;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Job {
    plan: Option<Plan>,
    under_way: BTreeMap<RunId, Started>,
    ended: VecDeque<RunId>,
}

/// With what a run was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Started {
    pub(crate) dry_run: bool,
    pub(crate) date: Date,
}

/// Each names its job, which the aggregate does not know before its first event.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) job: &'static str,
    pub(crate) what: What,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    Change(Plan),
    Start(RunId, Started),
    Progress(RunId, Figures),
    Complete(RunId, Figures),
    Fail(RunId, String, Figures),
    MakeReport(Report),
    NoteNotice(UserId),
}

impl Job {
    /// None as long as nobody changed it.
    pub(crate) fn plan(&self) -> Option<&Plan> {
        self.plan.as_ref()
    }

    /// How the run was started, if it is under way.
    pub(crate) fn under_way(&self, run: RunId) -> Option<Started> {
        self.under_way.get(&run).copied()
    }

    fn decide(&self, command: Command) -> Result<Option<JobEvent>, Error> {
        let job = command.job.to_owned();
        match command.what {
            What::Change(plan) => Ok(self.decide_change(job, plan)),
            What::Start(run_id, started) => self.decide_start(job, run_id, started),
            What::Progress(run_id, figures) => {
                self.require(run_id)?;
                let progressed = JobRunProgressed {
                    job,
                    run_id,
                    figures,
                };
                Ok(Some(progressed.into()))
            }
            What::Complete(run_id, figures) => {
                self.require(run_id)?;
                let completed = JobRunCompleted {
                    job,
                    run_id,
                    figures,
                };
                Ok(Some(completed.into()))
            }
            What::Fail(run_id, error, figures) => {
                self.require(run_id)?;
                let failed = JobRunFailed {
                    job,
                    run_id,
                    error,
                    figures,
                };
                Ok(Some(failed.into()))
            }
            What::MakeReport(report) => Ok(Some(DailyReportMade { job, report }.into())),
            What::NoteNotice(user_id) => Ok(Some(InactivityNoticeSent { job, user_id }.into())),
        }
    }

    fn decide_change(&self, job: String, plan: Plan) -> Option<JobEvent> {
        let is_so = self.plan.as_ref() == Some(&plan);
        let changed = JobScheduleChanged {
            job,
            schedule: plan.schedule,
            time_zone: plan.time_zone,
            paused: plan.paused,
        };
        (!is_so).then(|| changed.into())
    }

    /// A run that is taken up again has started already.
    fn decide_start(
        &self,
        job: String,
        run_id: RunId,
        started: Started,
    ) -> Result<Option<JobEvent>, Error> {
        if self.ended.contains(&run_id) {
            return Err(Error::RunEnded);
        }
        let event = JobRunStarted {
            job,
            run_id,
            dry_run: started.dry_run,
            date: started.date,
        };
        let is_new = !self.under_way.contains_key(&run_id);
        Ok(is_new.then(|| event.into()))
    }

    fn require(&self, run: RunId) -> Result<(), Error> {
        if self.under_way.contains_key(&run) {
            Ok(())
        } else if self.ended.contains(&run) {
            Err(Error::RunEnded)
        } else {
            Err(Error::UnknownRun)
        }
    }

    fn end(&mut self, run: RunId) {
        self.under_way.remove(&run);
        self.ended.push_back(run);
        if self.ended.len() > REMEMBERED {
            self.ended.pop_front();
        }
    }
}

impl Aggregate for Job {
    const TYPE: &'static str = JOB;
    type Command = Command;
    type Event = JobEvent;
    type Error = Error;
    type Services = ();

    async fn handle(
        &mut self,
        command: Command,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), Error> {
        if let Some(event) = self.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: JobEvent) {
        match event {
            JobEvent::JobScheduleChanged(changed) => {
                self.plan = Some(Plan {
                    schedule: changed.schedule,
                    time_zone: changed.time_zone,
                    paused: changed.paused,
                });
            }
            JobEvent::JobRunStarted(started) => {
                let with = Started {
                    dry_run: started.dry_run,
                    date: started.date,
                };
                self.under_way.insert(started.run_id, with);
            }
            JobEvent::JobRunCompleted(completed) => self.end(completed.run_id),
            JobEvent::JobRunFailed(failed) => self.end(failed.run_id),
            JobEvent::JobRunProgressed(_)
            | JobEvent::DailyReportMade(_)
            | JobEvent::InactivityNoticeSent(_) => {}
        }
    }
}

impl EventSourced for Job {
    const STREAM: &'static str = JOB_STREAM;
    const STATE_VERSION: u32 = 1;

    fn schema() -> Schema {
        event_schema(JOB_EVENTS)
    }

    /// Jobs claim nothing.
    fn taken(_kind: &str) -> Error {
        Error::UnknownRun
    }
}
