//! Takes due jobs from the work queue and runs them: each on one of the processes that ask.
//!
//! While a job runs the server is told so; a run whose process fell silent goes to another one,
//! under the same id. What failed comes again with growing pauses, and after the last try the run
//! has failed.
//!
//! Metrics: `batch_job_runs_total{job,outcome}`, `batch_job_run_seconds{job}`,
//! `batch_job_last_success_timestamp_seconds{job}`.

use std::{
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_nats::jetstream::{
    AckKind, Message,
    consumer::{AckPolicy, PullConsumer, pull},
};
use doran_contract::{RunId, subject};
use doran_eventstore::{BoxError, ExecuteError, Position, topology::incarnation};
use doran_platform::http::Probe;
use futures_util::{StreamExt, future::join_all};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    commands::SOURCE,
    day,
    due::{self, job_of},
    job::{Command, Error, Started, What},
    jobs::{self, Definition, JOBS},
    run::{Run, context},
    schedule::arrange,
    state::Service,
};

/// Jobs that one process runs at once.
const WORKERS: usize = 2;
/// Due jobs that are under way at once, in all processes.
const IN_FLIGHT: i64 = 64;
const CONSUMER: &str = "runners";
/// A process asks again for a due job after so long.
const EXPIRES: Duration = Duration::from_secs(5);
const REOPEN_AFTER: Duration = Duration::from_secs(1);
/// Before it says so when a worker does not end.
const ANSWER: Duration = Duration::from_secs(2);

/// How patient the runner is.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// When the run of a process that fell silent goes to another.
    pub ack_wait: Duration,
    /// Before a run that failed is tried again; four times as long each time.
    pub first_pause: Duration,
    /// A run that was taken up so often and did not end has failed.
    pub tries: u32,
    /// How often the schedules are compared with what was decided.
    pub arrange_every: Duration,
}

impl Default for Timing {
    /// The last of five tries comes a minute and a half after the first.
    fn default() -> Self {
        Self {
            ack_wait: Duration::from_secs(10),
            first_pause: Duration::from_secs(1),
            tries: 5,
            arrange_every: Duration::from_mins(1),
        }
    }
}

#[derive(Clone)]
struct Runner {
    service: Service,
    timing: Timing,
    ills: Arc<Mutex<Ills>>,
}

/// What the probe tells.
#[derive(Default)]
struct Ills {
    /// Why nothing is run.
    stopped: Option<String>,
    /// Whose schedules the server does not take, and why.
    unscheduled: Vec<String>,
}

/// The queue of due jobs, and the name of this life of it.
struct Queue {
    consumer: PullConsumer,
    incarnation: String,
}

/// What becomes of the message.
enum Ending {
    Done,
    /// Another process shall take it up, after a pause.
    Again(Option<Duration>),
}

/// Starts the workers, and what keeps the schedules.
pub(crate) fn start(service: &Service, timing: Timing) -> Probe {
    let runner = Runner {
        service: service.clone(),
        timing,
        ills: Arc::default(),
    };
    let lifecycle = &service.platform.lifecycle;
    let ills = Arc::clone(&runner.ills);
    let arranging = runner.clone();
    lifecycle.spawn(async move { arranging.keep_arranged().await });
    lifecycle.spawn(async move { runner.keep_running().await });
    Probe::optional("jobs", move || {
        let ills = ills.lock().unwrap_or_else(PoisonError::into_inner);
        std::future::ready(ills.check())
    })
}

impl Runner {
    async fn keep_arranged(&self) {
        let stopping = self.service.platform.lifecycle.stopping();
        loop {
            let mut unscheduled = Vec::new();
            for job in JOBS {
                if let Err(error) = arrange(&self.service, job).await {
                    tracing::warn!(job = job.name, error, "a schedule is not arranged");
                    unscheduled.push(format!("{} is not scheduled: {error}", job.name));
                }
            }
            self.ills().unscheduled = unscheduled;
            let pause = sleep(self.timing.arrange_every);
            if stopping.run_until_cancelled(pause).await.is_none() {
                return;
            }
        }
    }

    async fn keep_running(&self) {
        let stopping = self.service.platform.lifecycle.stopping();
        while !stopping.is_cancelled() {
            let reason = match self.open().await {
                Ok(queue) => {
                    self.ills().stopped = None;
                    let workers = (0..WORKERS).map(|_| self.work(&queue));
                    join_all(workers).await;
                    "the queue of due jobs does not answer".to_owned()
                }
                Err(error) => error.to_string(),
            };
            if stopping.is_cancelled() {
                return;
            }
            tracing::warn!(reason, "no job is run");
            self.ills().stopped = Some(reason);
            stopping.run_until_cancelled(sleep(REOPEN_AFTER)).await;
        }
    }

    async fn open(&self) -> Result<Queue, BoxError> {
        let stream = self
            .service
            .platform
            .js
            .get_stream(subject::SCHEDULE_STREAM);
        let stream = stream.await?;
        let config = pull::Config {
            durable_name: Some(CONSUMER.to_owned()),
            description: Some("processes that run due jobs".to_owned()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: self.timing.ack_wait,
            // The runner gives up by itself; nothing vanishes.
            max_deliver: -1,
            max_ack_pending: IN_FLIGHT,
            filter_subject: subject::due("*"),
            ..pull::Config::default()
        };
        let incarnation = incarnation(&stream.cached_info().config);
        Ok(Queue {
            incarnation: incarnation.unwrap_or_default().to_owned(),
            consumer: stream.create_consumer(config).await?,
        })
    }

    /// Takes one job after the other, until the process stops or the queue is away.
    async fn work(&self, queue: &Queue) {
        let stopping = self.service.platform.lifecycle.stopping();
        loop {
            // One at a time: what lay here unheeded could not be run elsewhere.
            let next = async {
                let fetch = queue.consumer.fetch().max_messages(1).expires(EXPIRES);
                fetch.messages().await?.next().await.transpose()
            };
            let delivered = match stopping.run_until_cancelled(next).await {
                None => return,
                Some(Ok(None)) => continue,
                Some(Ok(Some(message))) => self.deliver(queue, &message).await,
                Some(Err(error)) => Err(error),
            };
            if let Err(error) = delivered {
                tracing::warn!(error, "a due job is not handled");
                return;
            }
        }
    }

    async fn deliver(&self, queue: &Queue, message: &Message) -> Result<(), BoxError> {
        let ending = if let Some(job) = jobs::find(job_of(message)) {
            self.handle(queue, job, message).await?
        } else {
            tracing::error!(subject = %message.subject, "no such job is known here");
            Ending::Done
        };
        match ending {
            Ending::Done => message.double_ack().await,
            Ending::Again(pause) => message.ack_with(AckKind::Nak(pause)).await,
        }
    }

    async fn handle(
        &self,
        queue: &Queue,
        job: &'static Definition,
        message: &Message,
    ) -> Result<Ending, BoxError> {
        let info = message.info()?;
        let tries = u32::try_from(info.delivered).unwrap_or(u32::MAX);
        let run = match self.begin(queue, job, message).await {
            Ok(Some(run)) => run,
            Ok(None) => return Ok(Ending::Done),
            Err(error) => {
                tracing::warn!(job = job.name, error, "a run does not begin");
                return Ok(Ending::Again(Some(self.pause(tries))));
            }
        };
        if tries > self.timing.tries {
            return Ok(self
                .fail(&run, "every process that ran it fell silent")
                .await);
        }
        tracing::info!(job = job.name, run = %run.id, tries, dry_run = run.is_dry, "a run begins");
        let began = Instant::now();
        let stopping = self.service.platform.lifecycle.stopping();
        let working = (job.work)(&self.service, &run);
        let working = self.while_alive(message, working);
        let Some(worked) = stopping.run_until_cancelled(working).await else {
            tracing::info!(job = job.name, run = %run.id, "another process has to take up a run");
            return Ok(Ending::Again(None));
        };
        metrics::histogram!("batch_job_run_seconds", "job" => job.name).record(began.elapsed());
        Ok(match worked {
            Ok(()) => self.complete(&run).await,
            Err(error) if tries >= self.timing.tries => {
                self.fail(&run, &format!("{error:#}")).await
            }
            Err(error) => {
                tracing::warn!(job = job.name, run = %run.id, error = format!("{error:#}"), "a run is tried again");
                count(job.name, "retried");
                Ending::Again(Some(self.pause(tries)))
            }
        })
    }

    /// Notes that the run starts, unless it has already; none if it has ended.
    async fn begin(
        &self,
        queue: &Queue,
        job: &'static Definition,
        message: &Message,
    ) -> Result<Option<Run>, BoxError> {
        let service = &self.service;
        let Ok(wanted) = due::wanted(message) else {
            tracing::error!(job = job.name, "what is wanted of a job cannot be read");
            return Ok(None);
        };
        let now = service.platform.clock.now();
        let (id, actor, started) = if let Some(wanted) = wanted {
            let started = Started {
                dry_run: wanted.dry_run,
                date: wanted.date,
            };
            let actor = wanted.actor.map(|actor| actor.to_string());
            (wanted.run_id, actor, started)
        } else {
            let sequence = message.info()?.stream_sequence;
            let started = Started {
                dry_run: false,
                date: day::yesterday(now),
            };
            let id = RunId::scheduled(&queue.incarnation, sequence);
            (id, None, started)
        };
        let begun = begin_run(service, job, id, started, actor.as_deref()).await?;
        let started = begun.started;
        Ok(started.map(|started| Run::new(service.clone(), job, id, started)))
    }

    async fn complete(&self, run: &Run) -> Ending {
        let figures = run.figures();
        let completed = run
            .note("end", What::Complete(run.id, figures.clone()))
            .await;
        let ending = self.ended(run, completed.map(drop));
        if matches!(ending, Ending::Done) {
            count(run.job, "succeeded");
            let now = self.service.platform.clock.now().timestamp();
            #[expect(clippy::cast_precision_loss, reason = "seconds fit")]
            metrics::gauge!("batch_job_last_success_timestamp_seconds", "job" => run.job)
                .set(now as f64);
            tracing::info!(job = run.job, run = %run.id, ?figures, "a run has succeeded");
        }
        ending
    }

    async fn fail(&self, run: &Run, reason: &str) -> Ending {
        let fail = What::Fail(run.id, reason.to_owned(), run.figures());
        let failed = run.note("end", fail).await;
        let ending = self.ended(run, failed.map(drop));
        if matches!(ending, Ending::Done) {
            count(run.job, "failed");
            tracing::error!(job = run.job, run = %run.id, reason, "a run has failed");
        }
        ending
    }

    /// The run may have been ended by another process that believed to have it.
    fn ended(&self, run: &Run, noted: Result<(), ExecuteError<Error>>) -> Ending {
        match noted {
            Ok(()) | Err(ExecuteError::Refused(Error::RunEnded)) => Ending::Done,
            Err(error) => {
                tracing::warn!(job = run.job, run = %run.id, %error, "the end of a run is not noted");
                Ending::Again(Some(self.timing.first_pause))
            }
        }
    }

    fn pause(&self, tries: u32) -> Duration {
        self.timing.first_pause * 4_u32.saturating_pow(tries.clamp(1, 6) - 1)
    }

    /// Tells the server meanwhile that the job is being done.
    async fn while_alive<T>(&self, message: &Message, work: impl Future<Output = T>) -> T {
        let every = self.timing.ack_wait / 3;
        let mut work = pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = sleep(every) => {
                    let told = timeout(ANSWER, message.ack_with(AckKind::Progress)).await;
                    if !matches!(told, Ok(Ok(()))) {
                        tracing::warn!(subject = %message.subject, "cannot ask for more time");
                    }
                }
            }
        }
    }

    fn ills(&self) -> MutexGuard<'_, Ills> {
        self.ills.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ills {
    fn check(&self) -> Result<(), String> {
        let ills = self.stopped.iter().chain(&self.unscheduled);
        let ills: Vec<_> = ills.map(String::as_str).collect();
        if ills.is_empty() {
            Ok(())
        } else {
            Err(ills.join("; "))
        }
    }
}

/// A run that was noted to have started, now or earlier.
pub(crate) struct Begun {
    /// With what it was started; none if it has ended.
    pub(crate) started: Option<Started>,
    pub(crate) position: Position,
}

/// Notes that a run starts, unless it has.
pub(crate) async fn begin_run(
    service: &Service,
    job: &'static Definition,
    id: RunId,
    started: Started,
    actor: Option<&str>,
) -> Result<Begun, ExecuteError<Error>> {
    let command_id = uuid::Uuid::new_v5(&id.as_uuid(), b"start");
    let ctx = context(service, command_id, actor.unwrap_or(SOURCE));
    let command = Command {
        job: job.name,
        what: What::Start(id, started),
    };
    match service.jobs.execute(&(), job.name, command, &ctx).await {
        Ok(outcome) => Ok(Begun {
            started: outcome.aggregate.under_way(id),
            position: outcome.position,
        }),
        Err(ExecuteError::Refused(Error::RunEnded)) => Ok(Begun {
            started: None,
            position: Position::new(subject::JOB_STREAM, 0),
        }),
        Err(error) => Err(error),
    }
}

fn count(job: &'static str, outcome: &'static str) {
    metrics::counter!("batch_job_runs_total", "job" => job, "outcome" => outcome).increment(1);
}
