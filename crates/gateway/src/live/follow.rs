//! Moves one room's timeline on, event by event, and never past a hole.
//!
//! Republished events come at most once. What is missing is noticed by the next one, by a new
//! connection, or by comparing heads every few seconds, and is read from the log before anything
//! that comes after it. The stream names the previous event of the same type only, so one of another
//! type can be found too late to be shown in its place: then subscribers start afresh.

use std::{sync::Arc, time::Duration};

use async_nats::{Client, Subscriber};
use doran_contract::{RoomId, events::MessageEvent};
use doran_eventstore::{ReadError, Recorded};
use doran_platform::{
    keyring::KeyringError,
    trace::{TRACEPARENT, Traceparent},
};
use futures_util::StreamExt;
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval_at, sleep},
};

use super::{
    Hub, Log, Renderer, pulse::connection_count, render, timeline::Standing, typing::Typists,
};
use crate::Timing;

/// How long a hole may stay open before subscribers are told to start afresh.
const PATIENCE: Duration = Duration::from_secs(15);
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Events that are read at once to fill a hole.
const PAGE: usize = 500;

pub(super) struct Follower {
    pub(super) nats: Client,
    pub(super) hub: Arc<Hub>,
    pub(super) log: Log,
    pub(super) renderer: Renderer,
}

/// The timeline cannot be continued without a hole.
#[derive(Clone, Copy, Debug)]
struct Broken;

#[derive(Debug, thiserror::Error)]
enum FillError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Key(#[from] KeyringError),
    /// Subscribers were shown what lies behind it, so it cannot be shown in its place any more.
    #[error("an event was missed before one that was shown")]
    TooLate,
}

impl Follower {
    /// Follows the room until its hub ends. `connections` changes with every new connection.
    pub(super) async fn run(
        &self,
        mut live: Subscriber,
        mut typing: Subscriber,
        mut connections: watch::Receiver<u64>,
        timing: Timing,
    ) {
        let mut verify = interval_at(Instant::now() + timing.verify, timing.verify);
        verify.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut typists = Typists::default();
        let mut connection = connection_count(&self.nats);
        loop {
            let outcome = tokio::select! {
                _ = connections.changed() => self.verify().await,
                _ = verify.tick() => {
                    if self.hub.end_if_idle(timing.linger) {
                        return;
                    }
                    self.verify().await
                }
                message = live.next() => match message {
                    Some(message) => self.hear_after(&mut connection, message).await,
                    None => Err(Broken),
                },
                Some(message) = typing.next() => {
                    if let Some((user, frame)) = typists.hear(self.room(), &message.payload) {
                        self.hub.hint_others(user, frame);
                    }
                    Ok(())
                }
                (user, frame) = typists.ended(self.room()) => {
                    self.hub.hint_others(user, frame);
                    Ok(())
                }
            };
            if outcome.is_err() {
                tracing::error!(room = %self.room(), "a room's timeline cannot be continued");
                self.hub.end();
                return;
            }
        }
    }

    /// Hears a live event after everything that was lost with the connection before this one.
    async fn hear_after(
        &self,
        connection: &mut u64,
        message: async_nats::Message,
    ) -> Result<(), Broken> {
        let count = connection_count(&self.nats);
        if *connection != count {
            self.fill_to(None).await?;
            *connection = count;
        }
        self.hear(message).await
    }

    async fn hear(&self, message: async_nats::Message) -> Result<(), Broken> {
        let recorded = match Recorded::from_republished(message) {
            Ok(recorded) => recorded,
            Err(error) => {
                tracing::warn!(%error, room = %self.room(), "something that is not republished");
                return Ok(());
            }
        };
        if MessageEvent::TIMELINE.contains(&recorded.event_type.as_str()) {
            return self.hear_timeline(&recorded).await;
        }
        match render::decode(&recorded) {
            Ok(event) => match self.renderer.open(&recorded, event).await {
                Ok(opened) => {
                    if let Some(frame) = opened.frame(self.head()) {
                        self.hub.tell(frame);
                    }
                }
                Err(error) => tracing::debug!(%error, "an event cannot be opened"),
            },
            Err(error) => tracing::debug!(%error, "an event that this gateway does not know"),
        }
        Ok(())
    }

    async fn hear_timeline(&self, recorded: &Recorded) -> Result<(), Broken> {
        let previous = recorded.previous_on_subject.unwrap_or_default();
        let (event_type, sequence) = (&recorded.event_type, recorded.sequence);
        let standing = self
            .hub
            .timeline(|timeline| timeline.standing(event_type, sequence, previous));
        match standing {
            Standing::Known => Ok(()),
            Standing::Next => match self.show(recorded).await {
                Ok(()) => Ok(()),
                Err(error) => {
                    tracing::warn!(%error, room = %self.room(), "a live message has to wait");
                    self.fill(sequence).await
                }
            },
            Standing::AfterHole => {
                metrics::counter!("gateway_holes_total").increment(1);
                tracing::info!(room = %self.room(), sequence, "a live message was lost on its way");
                self.fill(sequence).await
            }
            Standing::TooLate => Err(Broken),
        }
    }

    /// Compares the timeline's head with the log's, so that a lost last event is found too.
    async fn verify(&self) -> Result<(), Broken> {
        let Ok(heads) = self.log.heads(self.room()).await else {
            // The log is away. The next comparison will tell.
            return Ok(());
        };
        if heads.iter().any(|(kind, head)| *head < self.newest(kind)) {
            return self.verify_with_leader().await;
        }
        let ahead = heads
            .iter()
            .filter(|(kind, head)| *head > self.newest(kind));
        match ahead.map(|(_, head)| *head).max() {
            Some(head) => self.fill(head).await,
            None => Ok(()),
        }
    }

    /// A replica may be behind; a leader that is has lost what was acknowledged.
    async fn verify_with_leader(&self) -> Result<(), Broken> {
        let Ok(heads) = self.log.heads_from_leader(self.room()).await else {
            return Ok(());
        };
        if heads.iter().any(|(kind, head)| *head < self.newest(kind)) {
            return Err(Broken);
        }
        Ok(())
    }

    /// Reads from the log until everything up to `sequence` has been shown.
    async fn fill(&self, sequence: u64) -> Result<(), Broken> {
        self.fill_to(Some(sequence)).await
    }

    /// Without a sequence it is enough to have read all that there is.
    async fn fill_to(&self, sequence: Option<u64>) -> Result<(), Broken> {
        let deadline = Instant::now() + PATIENCE;
        let mut pause = FIRST_PAUSE;
        loop {
            match self.read_on().await {
                Ok(()) if sequence.is_none_or(|sequence| self.head() >= sequence) => return Ok(()),
                Ok(()) => {}
                Err(FillError::TooLate) => return Err(Broken),
                Err(error) => {
                    tracing::warn!(%error, room = %self.room(), "a hole cannot be filled yet");
                }
            }
            if Instant::now() + pause > deadline {
                return Err(Broken);
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn read_on(&self) -> Result<(), FillError> {
        loop {
            let newest = |event_type: &str| self.newest(event_type);
            let events = self.log.after(self.room(), newest, PAGE).await?;
            if events
                .first()
                .is_some_and(|first| first.sequence < self.head())
            {
                return Err(FillError::TooLate);
            }
            for event in &events {
                self.show(event).await?;
            }
            if events.len() < PAGE {
                return Ok(());
            }
        }
    }

    async fn show(&self, recorded: &Recorded) -> Result<(), KeyringError> {
        match render::decode(recorded) {
            Ok(event) => {
                let opened = self.renderer.open(recorded, event).await?;
                if let Some(trace) = trace_of(recorded) {
                    let (trace_id, seq) = (trace.trace_id(), recorded.sequence);
                    tracing::debug!(trace_id, seq, room = %self.room(), "a frame goes out");
                }
                self.hub.show(&recorded.event_type, opened);
            }
            Err(error) => {
                tracing::error!(%error, "a timeline event cannot be read");
                self.hub.pass(&recorded.event_type, recorded.sequence);
            }
        }
        Ok(())
    }

    fn room(&self) -> RoomId {
        self.hub.room()
    }

    fn head(&self) -> u64 {
        self.hub.timeline(super::timeline::Timeline::head)
    }

    fn newest(&self, event_type: &str) -> u64 {
        self.hub.timeline(|timeline| timeline.newest(event_type))
    }
}

/// The trace of the request that led to the event.
fn trace_of(recorded: &Recorded) -> Option<Traceparent> {
    let header = recorded.headers.get(TRACEPARENT)?;
    Traceparent::parse(header.as_str())
}
