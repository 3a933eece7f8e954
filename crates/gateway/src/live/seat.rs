//! A socket's place in a room: live, or held back while it is given what it missed.

use std::sync::Arc;

use axum::extract::ws::Utf8Bytes;
use doran_contract::frame::CloseCode;
use uuid::Uuid;

use super::Broadcast;
use crate::socket::{Link, Voice};

/// Bytes that may wait for a socket while it is given what it missed.
const HELD_BYTES: usize = 1024 * 1024;

/// Tells apart the seats of one room: one socket may have several.
pub(crate) type SeatId = Uuid;

/// A socket that would like a seat.
pub(crate) struct Guest {
    /// The seat takes the place of one of the same id.
    pub(crate) seat: SeatId,
    pub(crate) link: Arc<Link>,
    pub(crate) voice: Voice,
}

pub(super) struct Seat {
    pub(super) link: Arc<Link>,
    voice: Voice,
    /// Tells a later subscription of the same socket from this one.
    pub(super) number: u64,
    /// The client has the timeline up to here. It can know more than this gateway, which an event
    /// has not reached yet.
    pub(super) after: u64,
    held: Option<Held>,
}

#[derive(Default)]
struct Held {
    frames: Vec<Utf8Bytes>,
    bytes: usize,
}

impl Seat {
    pub(super) fn held(guest: &Guest, number: u64, after: u64) -> Self {
        Self {
            link: Arc::clone(&guest.link),
            voice: guest.voice.clone(),
            number,
            after,
            held: Some(Held::default()),
        }
    }

    /// Shows a frame of the timeline, unless the client has it.
    pub(super) fn show_event(&mut self, sequence: u64, frame: &Broadcast) {
        if sequence > self.after {
            self.show(frame);
        }
    }

    pub(super) fn show(&mut self, frame: &Broadcast) {
        let Some(text) = self.voice.say(frame) else {
            return;
        };
        let Some(held) = &mut self.held else {
            self.link.outbox.push(text);
            return;
        };
        held.bytes += text.len();
        held.frames.push(text);
        if held.bytes > HELD_BYTES {
            held.frames.clear();
            self.link.close(CloseCode::SlowConsumer);
        }
    }

    /// Shows a frame that a socket can do without: only if it is live and keeps up.
    pub(super) fn hint(&self, frame: &Broadcast) {
        if self.is_live()
            && let Some(text) = self.voice.say(frame)
        {
            self.link.outbox.offer(text);
        }
    }

    pub(super) fn is_live(&self) -> bool {
        self.held.is_none()
    }

    /// Passes on what was held, and from now on everything as it comes.
    pub(super) fn go_live(&mut self) {
        for frame in self.held.take().unwrap_or_default().frames {
            self.link.outbox.push(frame);
        }
    }
}
