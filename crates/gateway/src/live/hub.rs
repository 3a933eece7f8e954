//! One room with subscribers in this gateway: how far its timeline has been shown, and its seats.
//!
//! Sockets come and go at any time; [`super::follow`] moves the timeline on.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use doran_contract::{
    RoomId, UserId,
    frame::{CloseCode, ServerFrame},
};
use tokio::time::Instant;

use super::{
    Broadcast,
    render::Opened,
    seat::{Guest, Seat, SeatId},
    timeline::Timeline,
};
use crate::socket::{ConnectionId, Link};

pub(crate) struct Hub {
    room: RoomId,
    state: Mutex<State>,
}

struct State {
    timeline: Timeline,
    seats: HashMap<SeatId, Seat>,
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

impl Hub {
    pub(super) fn new(room: RoomId, timeline: Timeline) -> Self {
        Self {
            room,
            state: Mutex::new(State {
                timeline,
                seats: HashMap::new(),
                last_number: 0,
                empty_since: Instant::now(),
                is_over: false,
            }),
        }
    }

    pub(super) fn room(&self) -> RoomId {
        self.room
    }

    /// Gives a socket a seat, in place of one of the same id. Held until [`Hub::go_live`].
    /// The client has everything up to `after`.
    pub(super) fn seat(&self, guest: &Guest, after: u64) -> Result<Seated, Over> {
        let mut state = self.state();
        if state.is_over {
            return Err(Over);
        }
        state.last_number += 1;
        let number = state.last_number;
        let seat = Seat::held(guest, number, after);
        state.seats.insert(guest.seat, seat);
        Ok(Seated {
            head: state.timeline.head(),
            number,
        })
    }

    /// Passes on what was held, says that the socket has everything, and lets it go on live.
    /// Nothing happens if the seat was given up meanwhile.
    pub(crate) fn go_live(&self, seat: SeatId, seated: Seated) {
        self.settle(seat, seated, |seat, head| {
            seat.go_live();
            let caught_up = ServerFrame::CaughtUp {
                room_id: self.room,
                seq: head.max(seat.after),
            };
            seat.show(&Broadcast::new(caught_up));
        });
    }

    /// As [`Hub::go_live`], for a socket that was told that it does not have everything.
    pub(crate) fn go_live_incomplete(&self, seat: SeatId, seated: Seated) {
        self.settle(seat, seated, |seat, _| {
            seat.after = 0;
            seat.go_live();
        });
    }

    pub(crate) fn leave(&self, seat: SeatId) {
        self.retain(|id, _| *id != seat);
    }

    /// Ends all subscriptions of somebody who is not a member any more.
    pub(super) fn remove(&self, user: UserId) {
        self.retain(|_, seat| seat.link.user_id != user);
    }

    /// Ends the subscriptions of all for whom `is_member` does not hold.
    pub(super) fn keep_members(&self, is_member: impl Fn(UserId) -> bool) {
        self.retain(|_, seat| is_member(seat.link.user_id));
    }

    pub(super) fn timeline<R>(&self, look: impl FnOnce(&Timeline) -> R) -> R {
        look(&self.state().timeline)
    }

    /// Shows an event that follows on the timeline, unless it repeats a message.
    pub(super) fn show(&self, event_type: &str, opened: Opened) {
        let mut state = self.state();
        let (seq, prev) = (opened.seq, state.timeline.shown());
        if state.timeline.take(event_type, seq, opened.sent())
            && let Some(frame) = opened.frame(prev)
        {
            state.broadcast(frame, |seat, frame| seat.show_event(seq, frame));
        }
    }

    /// Goes past an event that cannot be shown.
    pub(super) fn pass(&self, event_type: &str, sequence: u64) {
        self.state().timeline.pass(event_type, sequence);
    }

    /// Hands everybody a frame that is not part of the timeline.
    pub(super) fn tell(&self, frame: ServerFrame) {
        self.state().broadcast(frame, Seat::show);
    }

    /// Hands everybody who keeps up a frame that is soon worth nothing.
    pub(super) fn hint(&self, frame: ServerFrame) {
        self.state()
            .broadcast(frame, |seat, frame| seat.hint(frame));
    }

    /// Hands everybody but one, if they keep up, a frame that is soon worth nothing.
    pub(super) fn hint_others(&self, user: UserId, frame: ServerFrame) {
        self.state().broadcast(frame, |seat, frame| {
            if seat.link.user_id != user {
                seat.hint(frame);
            }
        });
    }

    /// Adds the live sockets of everybody but one.
    pub(super) fn add_others(&self, user: UserId, links: &mut HashMap<ConnectionId, Arc<Link>>) {
        let state = self.state();
        let others = state.seats.values().filter(|seat| seat.is_live());
        let others = others.filter(|seat| seat.link.user_id != user);
        links.extend(others.map(|seat| (seat.link.id, Arc::clone(&seat.link))));
    }

    /// Ends the hub if nobody has sat in it for `linger`; whether it has ended.
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

    fn settle(&self, seat: SeatId, seated: Seated, settle: impl FnOnce(&mut Seat, u64)) {
        let mut state = self.state();
        let head = state.timeline.head();
        let seat = state.seats.get_mut(&seat);
        if let Some(seat) = seat.filter(|seat| seat.number == seated.number) {
            settle(seat, head);
        }
    }

    fn retain(&self, stays: impl Fn(&SeatId, &Seat) -> bool) {
        let mut state = self.state();
        let had_seats = !state.seats.is_empty();
        state.seats.retain(|id, seat| stays(id, seat));
        if had_seats && state.seats.is_empty() {
            state.empty_since = Instant::now();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn broadcast(&mut self, frame: ServerFrame, show: impl Fn(&mut Seat, &Broadcast)) {
        if self.seats.is_empty() {
            return;
        }
        let frame = Broadcast::new(frame);
        for seat in self.seats.values_mut() {
            show(seat, &frame);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::extract::ws;
    use chrono::DateTime;
    use doran_contract::{SessionId, events::MessageEvent};
    use futures_util::FutureExt;
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;
    use crate::socket::{Dialect, Link, Login, Voice};

    const SENT: &str = "MessageSent";

    fn hub(head: u64) -> Hub {
        let room = RoomId::new(Uuid::from_u128(1));
        Hub::new(room, Timeline::starting_after([(SENT, head)]))
    }

    fn link(user: u128) -> Arc<Link> {
        let login = Login {
            session_id: SessionId::new(Uuid::from_u128(user)),
            expires_at: DateTime::UNIX_EPOCH.into(),
            token: "".into(),
            ends_with_socket: false,
        };
        let id = Uuid::from_u128(user);
        Arc::new(Link::new(
            id,
            UserId::new(Uuid::from_u128(user)),
            login,
            Dialect::Native,
        ))
    }

    fn guest(link: &Arc<Link>) -> Guest {
        Guest {
            seat: link.id,
            link: Arc::clone(link),
            voice: Voice::Native,
        }
    }

    fn message(seq: u64) -> Opened {
        let id = Uuid::from_u128(seq.into());
        let sent = json!({
            "messageId": id, "roomId": Uuid::from_u128(1), "senderId": Uuid::nil(),
            "senderType": "user", "content": { "key": Uuid::nil(), "data": "" },
            "contentType": "text", "clientMessageId": "x", "replyTo": null, "mentions": [],
        });
        Opened {
            event: MessageEvent::MessageSent(serde_json::from_value(sent).unwrap()),
            content: Some("x".to_owned()),
            attachments: Vec::new(),
            seq,
            time: DateTime::UNIX_EPOCH.into(),
        }
    }

    /// Type and sequence of the frames that wait.
    fn shown(link: &Link) -> Vec<(String, u64)> {
        let batch = link.outbox.next().now_or_never().unwrap_or_default();
        let frames = batch.into_iter().filter_map(|message| match message {
            ws::Message::Text(text) => serde_json::from_str::<Value>(&text).ok(),
            _ => None,
        });
        frames
            .map(|frame| {
                let kind = frame["type"].as_str().unwrap().to_owned();
                (kind, frame["seq"].as_u64().unwrap())
            })
            .collect()
    }

    fn frames(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
        let frames = expected
            .iter()
            .map(|(kind, seq)| ((*kind).to_owned(), *seq));
        frames.collect()
    }

    #[test]
    fn what_comes_before_a_seat_is_live_is_held_and_then_passed_on() {
        let (hub, link) = (hub(5), link(7));
        let seated = hub.seat(&guest(&link), 0).unwrap();
        assert_eq!(seated.head, 5);
        hub.show(SENT, message(6));
        assert_eq!(shown(&link), []);
        hub.go_live(link.id, seated);
        hub.show(SENT, message(9));
        let expected = frames(&[("message", 6), ("caughtUp", 6), ("message", 9)]);
        assert_eq!(shown(&link), expected);
    }

    #[test]
    fn who_has_an_event_that_has_not_reached_the_gateway_is_not_given_it_again() {
        let (hub, link) = (hub(5), link(7));
        let seated = hub.seat(&guest(&link), 6).unwrap();
        hub.go_live(link.id, seated);
        hub.show(SENT, message(6));
        hub.show(SENT, message(7));
        assert_eq!(shown(&link), frames(&[("caughtUp", 6), ("message", 7)]));
    }

    #[test]
    fn a_later_seat_takes_the_place_of_an_earlier_one() {
        let (hub, link) = (hub(5), link(7));
        let first = hub.seat(&guest(&link), 0).unwrap();
        let second = hub.seat(&guest(&link), 0).unwrap();
        hub.show(SENT, message(6));
        hub.go_live(link.id, first);
        assert_eq!(shown(&link), []);
        hub.go_live(link.id, second);
        assert_eq!(shown(&link), frames(&[("message", 6), ("caughtUp", 6)]));
    }

    #[test]
    fn who_left_or_was_removed_gets_nothing_more() {
        let (hub, left, removed, stays) = (hub(5), link(7), link(8), link(9));
        for link in [&left, &removed, &stays] {
            let seated = hub.seat(&guest(link), 0).unwrap();
            hub.go_live(link.id, seated);
            shown(link);
        }
        hub.leave(left.id);
        hub.remove(removed.user_id);
        hub.show(SENT, message(6));
        assert_eq!(shown(&left), []);
        assert_eq!(shown(&removed), []);
        assert_eq!(shown(&stays), frames(&[("message", 6)]));
    }

    #[test]
    fn a_hub_ends_when_nobody_sits_in_it_and_seats_nobody_then() {
        let (hub, link) = (hub(5), link(7));
        hub.seat(&guest(&link), 0).unwrap();
        assert!(!hub.end_if_idle(Duration::ZERO));
        hub.leave(link.id);
        assert!(!hub.end_if_idle(Duration::from_mins(1)));
        assert!(hub.end_if_idle(Duration::ZERO));
        assert!(hub.seat(&guest(&link), 0).is_err());
    }
}
