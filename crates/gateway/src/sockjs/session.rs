//! One session over HTTP: who may read it, what waits, and how it is over.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use axum::extract::ws::{Message, Utf8Bytes};
use bytes::Bytes;
use tokio::{
    sync::{Mutex as AsyncMutex, OwnedMutexGuard, mpsc, watch},
    time::timeout,
};

use super::{
    encode::{Farewell, Frame},
    pipe::FarEnd,
};

/// Bytes that are given in one frame.
const BATCH_BYTES: usize = 64 * 1024;
/// A request may come before the one that it follows on is seen to have ended.
const OVERLAP: Duration = Duration::from_millis(100);
/// How long what a client sends may wait for the host.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Session {
    /// None once the client is gone.
    incoming: Mutex<Option<mpsc::Sender<Message>>>,
    waiting: Arc<AsyncMutex<Waiting>>,
    /// Whether a request reads it.
    is_read: watch::Sender<bool>,
    farewell: OnceLock<Farewell>,
    heartbeat: Duration,
}

struct Waiting {
    outgoing: mpsc::Receiver<Message>,
    was_opened: bool,
    /// Came behind messages, and is a frame of its own.
    next: Option<Message>,
}

/// What a client sent is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    Gone,
    Busy,
}

/// One request's right to read a session. If it is dropped before it is done, the client has lost
/// what it was given, so the session is over.
pub(super) struct Turn {
    session: Arc<Session>,
    waiting: OwnedMutexGuard<Waiting>,
    is_done: bool,
}

impl Session {
    pub(super) fn new(far: FarEnd, heartbeat: Duration) -> Self {
        Self {
            incoming: Mutex::new(Some(far.incoming)),
            waiting: Arc::new(AsyncMutex::new(Waiting {
                outgoing: far.outgoing,
                was_opened: false,
                next: None,
            })),
            is_read: watch::Sender::new(false),
            farewell: OnceLock::new(),
            heartbeat,
        }
    }

    /// Only one request at a time reads.
    pub(super) async fn turn(self: &Arc<Self>) -> Result<Turn, Farewell> {
        if let Some(farewell) = self.farewell.get() {
            return Err(farewell.clone());
        }
        let waiting = timeout(OVERLAP, Arc::clone(&self.waiting).lock_owned()).await;
        let waiting = waiting.map_err(|_elapsed| Farewell::another_connection())?;
        self.is_read.send_replace(true);
        self.hear();
        Ok(Turn {
            session: Arc::clone(self),
            waiting,
            is_done: false,
        })
    }

    /// Hands the host what the client sent.
    pub(super) async fn send(&self, message: Message) -> Result<(), NotTaken> {
        let incoming = self.incoming().ok_or(NotTaken::Gone)?;
        match timeout(PATIENCE, incoming.send(message)).await {
            Ok(sent) => sent.map_err(|_gone| NotTaken::Gone),
            Err(_) => Err(NotTaken::Busy),
        }
    }

    /// A request shows that the client is there. Nobody need know where much waits already.
    pub(super) fn hear(&self) {
        if let Some(incoming) = self.incoming() {
            incoming.try_send(Message::Pong(Bytes::new())).ok();
        }
    }

    /// The client is gone: the host sees the end of what comes.
    pub(super) fn abandon(&self) {
        self.incoming
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
    }

    /// Whoever asks from now on is told this. The first farewell counts.
    pub(super) fn end(&self, farewell: Farewell) {
        // A second one is not needed.
        self.farewell.set(farewell).ok();
    }

    /// Returns when nobody has read the session for `patience`.
    pub(super) async fn unread_for(&self, patience: Duration) {
        let mut is_read = self.is_read.subscribe();
        loop {
            if is_read.wait_for(|is_read| !is_read).await.is_err() {
                return;
            }
            if timeout(patience, is_read.wait_for(|is_read| *is_read))
                .await
                .is_err()
            {
                return;
            }
        }
    }

    fn incoming(&self) -> Option<mpsc::Sender<Message>> {
        let incoming = self.incoming.lock();
        incoming.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Turn {
    /// The next frame for the client; waits for it, for as long as a heartbeat takes.
    pub(super) async fn next(&mut self) -> Frame {
        if !self.waiting.was_opened {
            self.waiting.was_opened = true;
            return Frame::Open;
        }
        if let Some(farewell) = self.session.farewell.get() {
            return Frame::Close(farewell.clone());
        }
        let next = timeout(self.session.heartbeat, self.waiting.next()).await;
        let frame = next.unwrap_or(Frame::Heartbeat);
        if let Frame::Close(farewell) = &frame {
            self.session.end(farewell.clone());
        }
        frame
    }

    /// A request that lasts stands for its client.
    pub(super) fn hear(&self) {
        self.session.hear();
    }

    /// What it was given goes to the client.
    pub(super) fn done(&mut self) {
        self.is_done = true;
    }
}

impl Waiting {
    async fn next(&mut self) -> Frame {
        let next = match self.next.take() {
            Some(next) => Some(next),
            None => self.outgoing.recv().await,
        };
        match next {
            Some(Message::Text(text)) => self.with_what_follows(text),
            Some(Message::Ping(_) | Message::Pong(_) | Message::Binary(_)) => Frame::Heartbeat,
            Some(Message::Close(Some(frame))) => Frame::Close(Farewell {
                code: frame.code,
                reason: frame.reason.to_string(),
            }),
            Some(Message::Close(None)) | None => Frame::Close(Farewell::go_away()),
        }
    }

    fn with_what_follows(&mut self, first: Utf8Bytes) -> Frame {
        let mut bytes = first.len();
        let mut messages = vec![first];
        while bytes < BATCH_BYTES {
            match self.outgoing.try_recv() {
                Ok(Message::Text(text)) => {
                    bytes += text.len();
                    messages.push(text);
                }
                Ok(other) => {
                    self.next = Some(other);
                    break;
                }
                Err(_) => break,
            }
        }
        Frame::Messages(messages)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.is_done {
            self.session.end(Farewell::interrupted());
            self.session.abandon();
        }
        self.session.is_read.send_replace(false);
    }
}
