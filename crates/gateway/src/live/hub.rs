//! One room with subscribers in this gateway: its timeline and its seats.
//!
//! One task ([`Hub::follow`]) moves the timeline on; sockets come and go at any time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_nats::Subscriber;
use axum::extract::ws::Utf8Bytes;
use doran_contract::{
    RoomId, UserId,
    events::MessageEvent,
    frame::{CloseCode, ServerFrame},
};
use doran_eventstore::{ReadError, Recorded};
use doran_platform::keyring::KeyringError;
use futures_util::StreamExt;
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval_at, sleep},
};

use super::{
    Log, Renderer,
    render::{self, text},
    seat::Seat,
    timeline::{Standing, Timeline},
};
use crate::{
    Timing,
    socket::{ConnectionId, Link},
};

/// How long a hole may stay open before subscribers are told to start afresh.
const REFILL_PATIENCE: Duration = Duration::from_secs(15);
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Events that are read at once to fill a hole.
const PAGE: usize = 500;

pub(crate) struct Hub {
    room: RoomId,
    log: Log,
    renderer: Renderer,
    state: Mutex<State>,
}

struct State {
    timeline: Timeline,
    seats: HashMap<ConnectionId, Seat>,
    last_number: u64,
    empty_since: Instant,
    is_over: bool,
}

/// A seat that was taken: everything after `head` comes to it, once it goes live.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seated {
    pub(crate) head: u64,
    number: u64,
}

/// The hub is not followed any more; another one takes its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Over;

/// The timeline cannot be continued without a hole.
#[derive(Clone, Copy, Debug)]
struct Broken;

#[derive(Debug, thiserror::Error)]
enum FillError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Key(#[from] KeyringError),
}

impl Hub {
    pub(super) fn new(room: RoomId, log: Log, renderer: Renderer, timeline: Timeline) -> Self {
        Self {
            room,
            log,
            renderer,
            state: Mutex::new(State {
                timeline,
                seats: HashMap::new(),
                last_number: 0,
                empty_since: Instant::now(),
                is_over: false,
            }),
        }
    }

    /// Gives a socket a seat, in place of one that it may have. Held until [`Hub::go_live`].
    /// The client has everything up to `after`.
    pub(super) fn seat(&self, link: &Arc<Link>, after: u64) -> Result<Seated, Over> {
        let mut state = self.state();
        if state.is_over {
            return Err(Over);
        }
        state.last_number += 1;
        let number = state.last_number;
        let seat = Seat::held(Arc::clone(link), number, after);
        state.seats.insert(link.id, seat);
        Ok(Seated {
            head: state.timeline.head(),
            number,
        })
    }

    /// Passes on what was held, says that the socket has everything, and lets it go on live.
    /// Nothing happens if the seat was given up meanwhile.
    pub(crate) fn go_live(&self, connection: ConnectionId, seated: Seated) {
        self.settle(connection, seated, |seat, head| {
            seat.go_live();
            let caught_up = ServerFrame::CaughtUp {
                room_id: self.room,
                seq: head.max(seat.after),
            };
            seat.link.outbox.push(text(&caught_up));
        });
    }

    /// As [`Hub::go_live`], for a socket that was told that it does not have everything.
    pub(crate) fn go_live_incomplete(&self, connection: ConnectionId, seated: Seated) {
        self.settle(connection, seated, |seat, _| {
            seat.after = 0;
            seat.go_live();
        });
    }

    fn settle(
        &self,
        connection: ConnectionId,
        seated: Seated,
        settle: impl FnOnce(&mut Seat, u64),
    ) {
        let mut state = self.state();
        let head = state.timeline.head();
        let seat = state.seats.get_mut(&connection);
        if let Some(seat) = seat.filter(|seat| seat.number == seated.number) {
            settle(seat, head);
        }
    }

    pub(crate) fn leave(&self, connection: ConnectionId) {
        self.retain(|seat| seat.link.id != connection);
    }

    /// Ends all subscriptions of somebody who is not a member any more.
    pub(super) fn remove(&self, user: UserId) {
        self.retain(|seat| seat.link.user_id != user);
    }

    /// Ends the subscriptions of all for whom `is_member` does not hold.
    pub(super) fn keep_members(&self, is_member: impl Fn(UserId) -> bool) {
        self.retain(|seat| is_member(seat.link.user_id));
    }

    pub(super) fn room(&self) -> RoomId {
        self.room
    }

    pub(super) fn renderer(&self) -> &Renderer {
        &self.renderer
    }

    /// Where a message was shown first, if that is remembered.
    pub(super) fn first_shown(&self, message: doran_contract::MessageId) -> Option<u64> {
        self.state().timeline.first_shown(message)
    }

    /// Ends the hub if nobody has sat in it for `linger`.
    pub(super) fn end_if_idle(&self, linger: Duration) -> bool {
        let mut state = self.state();
        if state.seats.is_empty() && state.empty_since.elapsed() >= linger {
            state.is_over = true;
        }
        state.is_over
    }

    /// Ends the hub and tells its subscribers to start afresh.
    pub(super) fn end(&self) {
        let mut state = self.state();
        state.is_over = true;
        for (_, seat) in state.seats.drain() {
            seat.link.close(CloseCode::Resync);
        }
    }

    /// Moves the timeline on for as long as that can be done without a hole. Returns when the hub
    /// has ended.
    pub(super) async fn follow(
        &self,
        mut live: Subscriber,
        mut connections: watch::Receiver<u64>,
        timing: Timing,
    ) {
        let mut verify = interval_at(Instant::now() + timing.verify, timing.verify);
        verify.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let outcome = tokio::select! {
                message = live.next() => match message {
                    Some(message) => self.hear(message).await,
                    None => Err(Broken),
                },
                _ = connections.changed() => self.verify().await,
                _ = verify.tick() => {
                    if self.end_if_idle(timing.linger) {
                        return;
                    }
                    self.verify().await
                }
            };
            if outcome.is_err() {
                tracing::error!(room = %self.room, "a room's timeline cannot be continued");
                self.end();
                return;
            }
        }
    }

    async fn hear(&self, message: async_nats::Message) -> Result<(), Broken> {
        let recorded = match Recorded::from_republished(message) {
            Ok(recorded) => recorded,
            Err(error) => {
                tracing::warn!(%error, room = %self.room, "something that is not republished");
                return Ok(());
            }
        };
        if MessageEvent::TIMELINE.contains(&recorded.event_type.as_str()) {
            return self.hear_timeline(&recorded).await;
        }
        match render::decode(&recorded) {
            Ok(MessageEvent::ReadMarkerMoved(moved)) => self.broadcast(&ServerFrame::Read {
                room_id: moved.room_id,
                user_id: moved.user_id,
                seq: moved.seq,
            }),
            Ok(MessageEvent::MessageSent(_)) => {}
            Err(error) => tracing::debug!(%error, "an event that this gateway does not know"),
        }
        Ok(())
    }

    async fn hear_timeline(&self, recorded: &Recorded) -> Result<(), Broken> {
        let previous = recorded.previous_on_subject.unwrap_or_default();
        let (event_type, sequence) = (&recorded.event_type, recorded.sequence);
        let standing = self
            .state()
            .timeline
            .standing(event_type, sequence, previous);
        match standing {
            Standing::Known => Ok(()),
            Standing::Next => match self.show(recorded).await {
                Ok(()) => Ok(()),
                Err(error) => {
                    tracing::warn!(%error, room = %self.room, "a live message has to wait");
                    self.fill(sequence).await
                }
            },
            Standing::AfterHole => {
                metrics::counter!("gateway_holes_total").increment(1);
                tracing::info!(room = %self.room, sequence, "a live message was lost on its way");
                self.fill(sequence).await
            }
        }
    }

    /// Compares the timeline's head with the log's, so that a lost last event is found too.
    async fn verify(&self) -> Result<(), Broken> {
        let Ok(heads) = self.log.heads(self.room).await else {
            // The log is away. The next comparison will tell.
            return Ok(());
        };
        let newest = |event_type| self.state().timeline.newest(event_type);
        let is_behind = heads
            .iter()
            .any(|(event_type, head)| *head < newest(event_type));
        if is_behind {
            return self.verify_with_leader().await;
        }
        let ahead = heads
            .iter()
            .filter(|(event_type, head)| *head > newest(event_type));
        match ahead.map(|(_, head)| *head).max() {
            Some(head) => self.fill(head).await,
            None => Ok(()),
        }
    }

    /// A replica may be behind; a leader that is has lost what was acknowledged.
    async fn verify_with_leader(&self) -> Result<(), Broken> {
        let Ok(heads) = self.log.heads_from_leader(self.room).await else {
            return Ok(());
        };
        let state = self.state();
        let lost = heads
            .iter()
            .any(|(event_type, head)| *head < state.timeline.newest(event_type));
        if lost { Err(Broken) } else { Ok(()) }
    }

    /// Reads from the log until everything up to `sequence` has been shown.
    async fn fill(&self, sequence: u64) -> Result<(), Broken> {
        let deadline = Instant::now() + REFILL_PATIENCE;
        let mut pause = FIRST_PAUSE;
        loop {
            if let Err(error) = self.read_on().await {
                tracing::warn!(%error, room = %self.room, "a hole cannot be filled yet");
            }
            if self.state().timeline.head() >= sequence {
                return Ok(());
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
            let head = self.state().timeline.head();
            let events = self.log.after(self.room, head, PAGE).await?;
            for event in &events {
                self.show(event).await?;
            }
            if events.len() < PAGE {
                return Ok(());
            }
        }
    }

    async fn show(&self, recorded: &Recorded) -> Result<(), KeyringError> {
        let (event_type, sequence) = (&recorded.event_type, recorded.sequence);
        match render::decode(recorded) {
            Ok(MessageEvent::MessageSent(sent)) => {
                let message = self.renderer.open(recorded, sent).await?;
                let mut state = self.state();
                let prev = state.timeline.shown();
                if state.timeline.take(event_type, sequence, message.id) {
                    let frame = render::message(message, prev);
                    state.broadcast(&frame, |seat, text| seat.show_event(sequence, text));
                }
            }
            Ok(MessageEvent::ReadMarkerMoved(_)) => {}
            Err(error) => {
                tracing::error!(%error, "a timeline event cannot be read");
                self.state().timeline.pass(event_type, sequence);
            }
        }
        Ok(())
    }

    fn broadcast(&self, frame: &ServerFrame) {
        self.state().broadcast(frame, Seat::show);
    }

    fn retain(&self, stays: impl Fn(&Seat) -> bool) {
        let mut state = self.state();
        let had_seats = !state.seats.is_empty();
        state.seats.retain(|_, seat| stays(seat));
        if had_seats && state.seats.is_empty() {
            state.empty_since = Instant::now();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn broadcast(&mut self, frame: &ServerFrame, show: impl Fn(&mut Seat, &Utf8Bytes)) {
        if self.seats.is_empty() {
            return;
        }
        let text = text(frame);
        for seat in self.seats.values_mut() {
            show(seat, &text);
        }
    }
}
