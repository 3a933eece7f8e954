//! `/user/queue/…`: what is told to one person, on the sockets that listen there.
//!
//! `errors` has refusals of SENDs, `replies` what became of them, `unread` figures, `rooms` changes
//! of rooms and memberships, and `notices` what operators say. Nothing is ever told on another name.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::extract::ws::Utf8Bytes;
use doran_contract::ErrorCode;

use super::message::Heading;
use crate::{live::Broadcast, socket::answer::Denied};

/// Queues that one socket may listen on.
const MOST: usize = 32;

#[derive(Default)]
pub(crate) struct Queues(Mutex<HashMap<Box<str>, Listening>>);

struct Listening {
    queue: Box<str>,
    heading: Heading,
}

impl Queues {
    /// A subscription under the same id takes the place of an earlier one.
    pub(super) fn listen(&self, id: &str, queue: Box<str>, heading: Heading) -> Result<(), Denied> {
        let mut listening = self.listening();
        if listening.len() >= MOST && !listening.contains_key(id) {
            let message = format!("one socket listens on {MOST} queues at most");
            return Err(Denied::new(ErrorCode::Conflict, message));
        }
        listening.insert(id.into(), Listening { queue, heading });
        Ok(())
    }

    pub(super) fn leave(&self, id: &str) {
        self.listening().remove(id);
    }

    /// The frame as the socket gets it, once for each subscription to the queue that it belongs to.
    pub(in crate::socket) fn say(&self, broadcast: &Broadcast) -> Vec<Utf8Bytes> {
        let listening = self.listening();
        if listening.is_empty() {
            return Vec::new();
        }
        let Some((body, queue)) = broadcast.stomp().and_then(|body| Some((body, body.queue?)))
        else {
            return Vec::new();
        };
        let here = listening.values().filter(|one| *one.queue == *queue);
        here.map(|one| one.heading.over(body)).collect()
    }

    fn listening(&self) -> MutexGuard<'_, HashMap<Box<str>, Listening>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
