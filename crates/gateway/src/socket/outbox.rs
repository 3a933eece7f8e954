//! What waits to be written to one socket. Bounded: a socket that does not read is given up.

use std::{
    collections::VecDeque,
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::extract::ws::{Message, Utf8Bytes};
use bytes::Bytes;
use tokio::sync::Notify;

/// Beyond this many bytes answers wait until something has been written, and hints are dropped.
const SOFT_BYTES: usize = 256 * 1024;
/// Beyond this many bytes of events the socket is too slow.
const HARD_BYTES: usize = 1024 * 1024;
/// Bytes that are written in one go.
const BATCH_BYTES: usize = 64 * 1024;

#[derive(Default)]
pub(crate) struct Outbox {
    waiting: Mutex<Waiting>,
    filled: Notify,
    drained: Notify,
    overflown: Notify,
}

#[derive(Default)]
struct Waiting {
    items: VecDeque<Item>,
    bytes: usize,
    event_bytes: usize,
    has_overflown: bool,
}

enum Item {
    /// Comes whether or not the socket keeps up.
    Event(Utf8Bytes),
    /// Comes because the client asked for it, and only as fast as it reads.
    Answer(Utf8Bytes),
    Ping,
}

impl Outbox {
    /// Adds an event.
    pub(crate) fn push(&self, frame: Utf8Bytes) {
        let mut waiting = self.waiting();
        if waiting.has_overflown {
            return;
        }
        if waiting.event_bytes + frame.len() > HARD_BYTES {
            // Nothing of it will be read in time, and memory is short when many do this.
            *waiting = Waiting {
                has_overflown: true,
                ..Waiting::default()
            };
            self.overflown.notify_one();
            return;
        }
        waiting.push(Item::Event(frame));
        self.filled.notify_one();
    }

    /// Adds an event that is dropped if much waits already.
    pub(crate) fn offer(&self, frame: Utf8Bytes) {
        if self.waiting().bytes < SOFT_BYTES {
            self.push(frame);
        } else {
            metrics::counter!("gateway_hints_dropped_total").increment(1);
        }
    }

    /// Adds an answer once there is room for it. An answer may be larger than the bound.
    pub(super) async fn answer(&self, frame: Utf8Bytes) {
        loop {
            let mut drained = pin!(self.drained.notified());
            drained.as_mut().enable();
            {
                let mut waiting = self.waiting();
                if waiting.bytes < SOFT_BYTES || waiting.has_overflown {
                    if !waiting.has_overflown {
                        waiting.push(Item::Answer(frame));
                        self.filled.notify_one();
                    }
                    return;
                }
            }
            drained.await;
        }
    }

    pub(super) fn ping(&self) {
        self.waiting().items.push_back(Item::Ping);
        self.filled.notify_one();
    }

    /// Takes what shall be written next, in order; waits while there is nothing.
    pub(crate) async fn next(&self) -> Vec<Message> {
        loop {
            let batch = self.take();
            if !batch.is_empty() {
                return batch;
            }
            self.filled.notified().await;
        }
    }

    /// Returns when the socket has turned out to be too slow.
    pub(super) async fn overflown(&self) {
        self.overflown.notified().await;
    }

    /// Takes whatever waits.
    pub(super) fn take_all(&self) -> Vec<Message> {
        let items = std::mem::take(&mut *self.waiting()).items;
        items.into_iter().map(Message::from).collect()
    }

    fn take(&self) -> Vec<Message> {
        let mut waiting = self.waiting();
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while bytes < BATCH_BYTES
            && let Some(item) = waiting.pop()
        {
            bytes += item.len();
            batch.push(item.into());
        }
        if waiting.items.is_empty() {
            // An idle socket holds no memory for what it once was sent.
            waiting.items.shrink_to_fit();
        }
        if waiting.bytes < SOFT_BYTES && !batch.is_empty() {
            self.drained.notify_waiters();
        }
        batch
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn push(&mut self, item: Item) {
        self.bytes += item.len();
        self.event_bytes += item.event_len();
        self.items.push_back(item);
    }

    fn pop(&mut self) -> Option<Item> {
        let item = self.items.pop_front()?;
        self.bytes -= item.len();
        self.event_bytes -= item.event_len();
        Some(item)
    }
}

impl Item {
    fn len(&self) -> usize {
        match self {
            Self::Event(frame) | Self::Answer(frame) => frame.len(),
            Self::Ping => 0,
        }
    }

    fn event_len(&self) -> usize {
        match self {
            Self::Event(frame) => frame.len(),
            Self::Answer(_) | Self::Ping => 0,
        }
    }
}

impl From<Item> for Message {
    fn from(item: Item) -> Self {
        match item {
            Item::Event(frame) | Item::Answer(frame) => Self::Text(frame),
            Item::Ping => Self::Ping(Bytes::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn frame(bytes: usize) -> Utf8Bytes {
        "x".repeat(bytes).into()
    }

    fn texts(batch: Vec<Message>) -> Vec<String> {
        let texts = batch
            .into_iter()
            .map(|m| m.into_text().unwrap().to_string());
        texts.collect()
    }

    #[tokio::test]
    async fn frames_come_out_in_the_order_in_which_they_went_in() {
        let outbox = Outbox::default();
        outbox.push("a".into());
        outbox.answer("b".into()).await;
        outbox.push("c".into());
        assert_eq!(texts(outbox.next().await), ["a", "b", "c"]);
        assert!(outbox.next().now_or_never().is_none());
    }

    #[tokio::test]
    async fn too_many_events_end_the_socket_and_free_the_memory() {
        let outbox = Outbox::default();
        for _ in 0..16 {
            outbox.push(frame(HARD_BYTES / 16));
        }
        assert!(outbox.overflown().now_or_never().is_none());
        outbox.push(frame(1));
        assert!(outbox.overflown().now_or_never().is_some());
        assert!(outbox.next().now_or_never().is_none());
        outbox.push(frame(1));
        assert!(outbox.next().now_or_never().is_none());
    }

    #[tokio::test]
    async fn what_one_can_do_without_is_dropped_while_much_waits() {
        let outbox = Outbox::default();
        outbox.offer("a".into());
        outbox.push(frame(SOFT_BYTES));
        outbox.offer("b".into());
        assert_eq!(texts(outbox.next().await).len(), 2);
        assert!(outbox.next().now_or_never().is_none());
    }

    #[tokio::test]
    async fn answers_wait_for_the_reader_and_never_end_the_socket() {
        let outbox = Outbox::default();
        outbox.answer(frame(4 * HARD_BYTES)).await;
        let mut second = pin!(outbox.answer(frame(1)));
        assert!(second.as_mut().now_or_never().is_none());
        outbox.push(frame(HARD_BYTES));
        assert!(outbox.overflown().now_or_never().is_none());
        assert_eq!(outbox.next().await.len(), 1);
        assert!(
            second.as_mut().now_or_never().is_none(),
            "the event still waits"
        );
        assert_eq!(outbox.next().await.len(), 1);
        second.await;
        assert_eq!(outbox.next().await.len(), 1);
    }
}
