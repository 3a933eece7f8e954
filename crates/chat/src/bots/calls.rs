//! Calling bots about what was said, and posting what they answer.
//!
//! Each bot has lanes of its own, so one that is slow, dead or lying holds up nobody else's. In a
//! lane calls are made one after the other, whichever process makes them. A call may be made twice;
//! its answer is posted once, because its id follows from the call.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_nats::jetstream::{
    AckKind, Message as Delivered,
    consumer::{AckPolicy, pull},
};
use backon::{BackoffBuilder, ExponentialBuilder};
use doran_contract::{UserId, subject};
use doran_eventstore::BoxError;
use futures_util::TryStreamExt;
use tokio::{
    sync::broadcast::error::RecvError,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{
    Call,
    breaker::Breaker,
    call::LANES,
    deliver::{GIVEN_UP, Outcome},
};
use crate::state::Service;

/// When the call of a process that fell silent goes to another.
const ACK_WAIT: Duration = Duration::from_secs(30);
/// A call that was asked for and did not come is asked for again.
const EXPIRES: Duration = Duration::from_secs(30);
const HEARTBEAT: Duration = Duration::from_secs(10);
/// Before a lane that was lost is opened again.
const REOPEN_AFTER: Duration = Duration::from_secs(1);
const MOST_TRIES: usize = 60;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Calls every bot there is, until the process stops.
pub(crate) async fn keep_calling(service: Service) {
    let stopping = service.platform.lifecycle.stopping().clone();
    let mut changes = service.bots.model().subscribe();
    let mut running: HashMap<UserId, CancellationToken> = HashMap::new();
    loop {
        let bots: HashSet<_> = service
            .bots
            .list()
            .iter()
            .map(|bot| bot.details.id)
            .collect();
        for (_, gone) in running.extract_if(|bot, _| !bots.contains(bot)) {
            gone.cancel();
        }
        for bot in bots {
            running
                .entry(bot)
                .or_insert_with(|| open(&service, bot, stopping.child_token()));
        }
        match stopping.run_until_cancelled(changes.recv()).await {
            Some(Ok(_) | Err(RecvError::Lagged(_))) => {}
            Some(Err(RecvError::Closed)) | None => return,
        }
    }
}

fn open(service: &Service, bot: UserId, gone: CancellationToken) -> CancellationToken {
    let breaker = Arc::<Mutex<Breaker>>::default();
    for number in 0..LANES {
        let lane = Lane {
            service: service.clone(),
            bot,
            number,
            breaker: Arc::clone(&breaker),
        };
        let gone = gone.clone();
        service
            .platform
            .lifecycle
            .spawn(async move { lane.run(gone).await });
    }
    gone
}

/// Some of a bot's rooms.
pub(super) struct Lane {
    pub(super) service: Service,
    pub(super) bot: UserId,
    number: u8,
    breaker: Arc<Mutex<Breaker>>,
}

impl Lane {
    async fn run(&self, gone: CancellationToken) {
        while let Some(ended) = gone.run_until_cancelled(self.session()).await {
            if let Err(error) = ended {
                tracing::warn!(%error, bot = %self.bot, "the calls of a bot are not heard");
            }
            if gone
                .run_until_cancelled(sleep(REOPEN_AFTER))
                .await
                .is_none()
            {
                break;
            }
        }
        let is_removed = !self.service.platform.lifecycle.stopping().is_cancelled();
        if is_removed && let Err(error) = self.close().await {
            tracing::warn!(%error, bot = %self.bot, "a removed bot's consumer stays");
        }
    }

    async fn session(&self) -> Result<(), BoxError> {
        let js = &self.service.platform.js;
        let stream = js.get_stream(subject::BOT_CALL_STREAM).await?;
        let consumer = stream.create_consumer(self.config()).await?;
        let calls = consumer
            .stream()
            .max_messages_per_batch(1)
            .expires(EXPIRES)
            .heartbeat(HEARTBEAT)
            .messages()
            .await?;
        calls
            .map_err(BoxError::from)
            .try_for_each(async |message| self.take(&message).await)
            .await
    }

    async fn close(&self) -> Result<(), BoxError> {
        let js = &self.service.platform.js;
        let stream = js.get_stream(subject::BOT_CALL_STREAM).await?;
        stream.delete_consumer(&self.name()).await?;
        Ok(())
    }

    fn name(&self) -> String {
        format!("{}-{}", self.bot, self.number)
    }

    fn config(&self) -> pull::Config {
        pull::Config {
            durable_name: Some(self.name()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            // One at a time keeps the order; what is given up is given up by us.
            max_ack_pending: 1,
            max_deliver: -1,
            filter_subject: subject::bot_call(self.bot, self.number),
            ..pull::Config::default()
        }
    }

    async fn take(&self, message: &Delivered) -> Result<(), BoxError> {
        let info = message.info()?;
        let tries = usize::try_from(info.delivered).unwrap_or(1);
        let answer = match serde_json::from_slice::<Call>(&message.payload) {
            Ok(call) => {
                // On the heap: a lane that waits shall be small.
                let delivering = Box::pin(self.deliver(&call, tries));
                let outcome = self.while_alive(message, delivering).await;
                let outcome = match outcome {
                    // Whatever keeps it from being made must not keep the lane for ever.
                    Outcome::Again { .. } if tries >= MOST_TRIES => Outcome::Done(GIVEN_UP),
                    outcome => outcome,
                };
                self.count(&outcome, &call);
                match outcome {
                    Outcome::Done(_) => AckKind::Ack,
                    Outcome::Again { wait, .. } => {
                        AckKind::Nak(Some(wait.unwrap_or_else(|| pause(tries))))
                    }
                }
            }
            Err(error) => {
                tracing::error!(%error, "a call that cannot be read");
                AckKind::Term
            }
        };
        message.ack_with(answer).await
    }

    fn count(&self, outcome: &Outcome, call: &Call) {
        let name = outcome.name();
        let bot = self.bot.to_string();
        metrics::counter!("bot_deliveries_total", "bot" => bot, "outcome" => name).increment(1);
        if !outcome.is_as_hoped() {
            let (bot, delivery) = (self.bot, call.delivery_id);
            tracing::warn!(outcome = name, %bot, room = %call.room_id, %delivery, "a bot did not answer");
        }
    }

    pub(super) fn wait(&self) -> Option<Duration> {
        self.breaker().wait(Instant::now())
    }

    /// Notes whether the bot could be called.
    pub(super) fn note(&self, is_well: bool) {
        let now = Instant::now();
        let mut breaker = self.breaker();
        if is_well {
            breaker.succeeded();
        } else {
            breaker.failed(now);
        }
        let is_open = breaker.is_open(now);
        drop(breaker);
        let bot = self.bot.to_string();
        metrics::gauge!("bot_breaker_open", "bot" => bot).set(f64::from(u8::from(is_open)));
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the server meanwhile that the call is being made.
    async fn while_alive<T>(&self, message: &Delivered, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = sleep(ACK_WAIT / 3) => {
                    if let Err(error) = message.ack_with(AckKind::Progress).await {
                        tracing::debug!(%error, "cannot ask for more time");
                    }
                }
            }
        }
    }
}

fn pause(tries: usize) -> Duration {
    let pauses = ExponentialBuilder::default()
        .with_jitter()
        .with_min_delay(FIRST_PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .with_max_times(tries.max(1));
    pauses.build().last().unwrap_or(LONGEST_PAUSE)
}
