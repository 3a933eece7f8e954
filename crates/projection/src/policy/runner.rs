//! Runs one policy: takes what the consumer delivers, handles the aggregate's events in order up to
//! it, acknowledges, retries, parks.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    pin::pin,
    time::Duration,
};

use async_nats::jetstream::{self, AckKind, Message, consumer::PullConsumer, kv::Watch};
use backon::{BackoffBuilder, ExponentialBuilder};
use doran_eventstore::{BoxError, LogReader, Recorded};
use futures_util::TryStreamExt;
use tokio::{
    sync::Mutex,
    time::{interval, sleep},
};

use super::{
    Declaration, Failure, Parked, Policy, Running, Timing,
    consumer::{self, Opened},
    declaration::aggregate_of,
    progress::Progress,
};
use crate::{Clock, Tasks};

/// Events that one process handles at once.
const AT_ONCE: usize = 16;
/// Aggregates share these; of two that share one, one waits.
const TURNS: usize = 64;
const MEASURE_EVERY: Duration = Duration::from_secs(2);
/// Before a consumer that was lost is opened again.
const REOPEN_AFTER: Duration = Duration::from_secs(1);
/// A delivery that was asked for and brought nothing is asked for again.
const EXPIRES: Duration = Duration::from_secs(10);
const HEARTBEAT: Duration = Duration::from_secs(3);

/// Runs the policy until the tasks are cancelled. Whatever is missing at first is waited for.
pub fn run<P: Policy>(
    policy: P,
    js: jetstream::Context,
    clock: Clock,
    timing: Timing,
    tasks: &Tasks,
) -> Running {
    let running = Running::new(policy.declaration());
    let runner = Runner {
        declaration: policy.declaration(),
        policy,
        js,
        clock,
        timing,
        running: running.clone(),
        turns: std::array::from_fn(|_| Mutex::default()),
    };
    tasks.spawn(async move { runner.keep_running().await });
    running
}

struct Runner<P> {
    declaration: Declaration,
    policy: P,
    js: jetstream::Context,
    clock: Clock,
    timing: Timing,
    running: Running,
    turns: [Mutex<()>; TURNS],
}

/// A runner with its consumer.
struct Session<'a, P> {
    runner: &'a Runner<P>,
    progress: Progress,
    reader: LogReader,
    first: u64,
    incarnation: String,
}

/// The event at which an aggregate stopped.
struct Stop {
    event: Option<Recorded>,
    failure: Failure,
}

impl<P: Policy> Runner<P> {
    async fn keep_running(&self) {
        loop {
            let reason = match self.session().await {
                Ok(()) => "the consumer ended".to_owned(),
                Err(error) => error.to_string(),
            };
            tracing::warn!(
                policy = self.declaration.name,
                reason,
                "a policy does not run"
            );
            self.running.set_stopped(Some(reason));
            sleep(REOPEN_AFTER).await;
        }
    }

    async fn session(&self) -> Result<(), BoxError> {
        let opened = consumer::open(&self.js, &self.declaration, &self.timing).await?;
        let Opened {
            consumer,
            first,
            incarnation,
        } = opened;
        let session = Session {
            runner: self,
            progress: Progress::open(&self.js, &self.declaration).await?,
            reader: LogReader::new(self.js.clone(), self.declaration.stream),
            first,
            incarnation,
        };
        let watch = session.progress.watch().await?;
        self.running.set_stopped(None);
        tokio::select! {
            worked = session.work(&consumer) => worked,
            followed = session.follow_parked(watch) => followed,
            measured = session.measure(&consumer) => measured,
        }
    }

    fn count(&self, outcome: &'static str) {
        let policy = self.declaration.name;
        metrics::counter!("policy_events_total", "policy" => policy, "outcome" => outcome)
            .increment(1);
    }

    fn pause(&self, deliveries: usize) -> Duration {
        let pauses = ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(self.timing.first_pause)
            .with_max_delay(self.timing.longest_pause)
            .with_max_times(deliveries.max(1));
        pauses.build().last().unwrap_or(self.timing.longest_pause)
    }

    fn turn(&self, aggregate: &str) -> Option<&Mutex<()>> {
        let mut hasher = DefaultHasher::new();
        aggregate.hash(&mut hasher);
        let turns = TURNS as u64;
        usize::try_from(hasher.finish() % turns)
            .ok()
            .and_then(|index| self.turns.get(index))
    }
}

impl<P: Policy> Session<'_, P> {
    async fn work(&self, consumer: &PullConsumer) -> Result<(), BoxError> {
        let messages = consumer
            .stream()
            .max_messages_per_batch(AT_ONCE)
            .expires(EXPIRES)
            .heartbeat(HEARTBEAT)
            .messages()
            .await?;
        messages
            .map_err(BoxError::from)
            .try_for_each_concurrent(AT_ONCE, async |message| self.deliver(&message).await)
            .await
    }

    async fn deliver(&self, message: &Message) -> Result<(), BoxError> {
        let event = Recorded::from_consumer(message.clone())?;
        if !self.runner.policy.concerns(&event).await {
            self.runner.count("passed_over");
            return message.ack_with(AckKind::Ack).await;
        }
        let aggregate = aggregate_of(&event.subject);
        let answer = match self
            .while_alive(message, self.handle(aggregate, event.sequence))
            .await
        {
            Ok(outcome) => {
                self.runner.count(outcome);
                AckKind::Ack
            }
            Err(stop) => self.after(stop, aggregate, message).await?,
        };
        message.ack_with(answer).await
    }

    /// Handles the aggregate's events up to and with this one, unless it is parked.
    async fn handle(&self, aggregate: &str, sequence: u64) -> Result<&'static str, Stop> {
        if self.runner.running.is_parked(aggregate) {
            let is_parked = self.progress.is_parked(aggregate).await;
            if is_parked.map_err(|error| Stop::without_event(Failure::Transient(error)))? {
                return Ok("waits_behind_parked");
            }
        }
        self.advance(aggregate, sequence).await?;
        Ok("handled")
    }

    /// Handles what the aggregate's events up to `last` ask for and is not done yet.
    async fn advance(&self, aggregate: &str, last: u64) -> Result<(), Stop> {
        let _turn = match self.runner.turn(aggregate) {
            Some(turn) => Some(turn.lock().await),
            None => None,
        };
        loop {
            let done = self.progress.done(aggregate, &self.incarnation).await;
            let done = done.map_err(|error| Stop::without_event(Failure::Transient(error)))?;
            let from = self.first.max(done.sequence + 1);
            let next = self
                .next(aggregate, from)
                .await
                .map_err(Stop::without_event)?;
            let Some(event) = next.filter(|event| event.sequence <= last) else {
                return Ok(());
            };
            let sequence = event.sequence;
            if let Err(failure) = self.react(&event).await {
                let event = Some(event);
                return Err(Stop { event, failure });
            }
            let noted = self
                .progress
                .note(aggregate, &self.incarnation, (&done, sequence));
            let noted = noted.await;
            noted.map_err(|error| Stop::without_event(Failure::Transient(error)))?;
        }
    }

    async fn react(&self, event: &Recorded) -> Result<(), Failure> {
        let policy = &self.runner.policy;
        for command in policy.react(event).await? {
            policy.execute(event, command).await?;
        }
        Ok(())
    }

    /// The aggregate's first event from a sequence on.
    async fn next(&self, aggregate: &str, from: u64) -> Result<Option<Recorded>, Failure> {
        let mut next: Option<Recorded> = None;
        for filter in self.runner.declaration.filters_of(aggregate) {
            let found = self.reader.read(&filter, from, 1).await?.into_iter().next();
            let is_earlier = |found: &Recorded| {
                next.as_ref()
                    .is_none_or(|next| found.sequence < next.sequence)
            };
            if let Some(found) = found.filter(is_earlier) {
                next = Some(found);
            }
        }
        Ok(next)
    }

    /// What is answered for an event that did not pass: another try, or parking.
    async fn after(
        &self,
        stop: Stop,
        aggregate: &str,
        message: &Message,
    ) -> Result<AckKind, BoxError> {
        let info = message.info()?;
        let deliveries = usize::try_from(info.delivered).unwrap_or(1);
        let is_hopeless = matches!(stop.failure, Failure::Permanent(_));
        if let Some(event) = &stop.event
            && (is_hopeless || deliveries >= self.runner.timing.deliveries)
        {
            self.park(aggregate, event, &stop.failure).await?;
            return Ok(AckKind::Ack);
        }
        let policy = self.runner.declaration.name;
        tracing::warn!(policy, aggregate, error = %stop.failure, deliveries, "an event comes again");
        self.runner.count("retried");
        Ok(AckKind::Nak(Some(self.runner.pause(deliveries))))
    }

    async fn park(
        &self,
        aggregate: &str,
        event: &Recorded,
        failure: &Failure,
    ) -> Result<(), BoxError> {
        let parked = Parked {
            aggregate: aggregate.to_owned(),
            sequence: event.sequence,
            event_type: event.event_type.clone(),
            reason: failure.to_string(),
            parked_at: (self.runner.clock)(),
        };
        let policy = self.runner.declaration.name;
        tracing::error!(policy, aggregate, sequence = event.sequence, %failure, "parked");
        self.progress.park(&parked).await?;
        self.runner.running.set_parked(parked.aggregate, true);
        self.runner.count("parked");
        Ok(())
    }

    /// Keeps in mind who is parked, and goes on with those whom an operator let go.
    async fn follow_parked(&self, mut watch: Watch) -> Result<(), BoxError> {
        while let Some(entry) = watch.try_next().await? {
            let Some((aggregate, is_parked)) = self.progress.read_change(&entry) else {
                continue;
            };
            self.runner.running.set_parked(aggregate.clone(), is_parked);
            if !is_parked {
                self.go_on(&aggregate).await?;
            }
        }
        Ok(())
    }

    async fn go_on(&self, aggregate: &str) -> Result<(), BoxError> {
        match self.advance(aggregate, u64::MAX).await {
            Ok(()) => Ok(()),
            Err(Stop {
                event: Some(event),
                failure,
            }) => self.park(aggregate, &event, &failure).await,
            Err(Stop { failure, .. }) => Err(failure.into()),
        }
    }

    async fn measure(&self, consumer: &PullConsumer) -> Result<(), BoxError> {
        let policy = self.runner.declaration.name;
        let mut looks = interval(MEASURE_EVERY);
        loop {
            looks.tick().await;
            let info = consumer.get_info().await?;
            let unhandled = info.num_pending + info.num_ack_pending as u64;
            metrics::gauge!("policy_lag_events", "policy" => policy).set(figure(unhandled));
            let parked = self.runner.running.parked();
            metrics::gauge!("policy_parked", "policy" => policy).set(figure(parked as u64));
        }
    }

    /// Tells the server meanwhile that the event is being handled.
    async fn while_alive<T>(&self, message: &Message, work: impl Future<Output = T>) -> T {
        let every = self.runner.timing.ack_wait / 3;
        let mut work = pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = sleep(every) => {
                    if let Err(error) = message.ack_with(AckKind::Progress).await {
                        tracing::debug!(%error, "cannot ask for more time");
                    }
                }
            }
        }
    }
}

impl Stop {
    fn without_event(failure: Failure) -> Self {
        Self {
            event: None,
            failure,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a figure to look at")]
fn figure(count: u64) -> f64 {
    count as f64
}
