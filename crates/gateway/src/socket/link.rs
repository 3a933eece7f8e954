//! What the rest of the gateway holds of a socket that is logged in.

use std::{
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use axum::extract::ws::Utf8Bytes;
use doran_contract::{
    SessionId, Timestamp, UserId,
    frame::{CloseCode, ShownState},
};
use tokio::{sync::Notify, time::Instant};
use uuid::Uuid;

use super::{closing::End, outbox::Outbox, stomp::Queues};
use crate::live::Broadcast;

pub(crate) type ConnectionId = Uuid;

pub(crate) struct Link {
    pub(crate) id: ConnectionId,
    pub(crate) user_id: UserId,
    pub(crate) outbox: Outbox,
    pub(super) dialect: Dialect,
    login: ArcSwap<Login>,
    shown: Mutex<ShownState>,
    opened: Instant,
    heard_ms: AtomicU64,
    pinged_ms: AtomicU64,
    end: OnceLock<End>,
    ending: Notify,
}

/// How somebody is told what belongs to no subscription to a room.
pub(crate) enum Dialect {
    Native,
    Stomp(Queues),
}

/// The token that a socket is logged in with.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) session_id: SessionId,
    pub(crate) expires_at: Timestamp,
    pub(crate) token: Box<str>,
    /// Nobody else has the session, which a password has made for this socket.
    pub(crate) ends_with_socket: bool,
}

impl Link {
    pub(crate) fn new(id: ConnectionId, user_id: UserId, login: Login, dialect: Dialect) -> Self {
        Self {
            id,
            user_id,
            outbox: Outbox::default(),
            dialect,
            login: ArcSwap::from_pointee(login),
            shown: Mutex::new(ShownState::Online),
            opened: Instant::now(),
            heard_ms: AtomicU64::new(0),
            pinged_ms: AtomicU64::new(0),
            end: OnceLock::new(),
            ending: Notify::new(),
        }
    }

    pub(super) fn login(&self) -> Arc<Login> {
        self.login.load_full()
    }

    pub(super) fn renew(&self, login: Login) {
        self.login.store(Arc::new(login));
    }

    pub(super) fn shown(&self) -> ShownState {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn show(&self, state: ShownState) {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// Adds what the person can do without, if the socket keeps up.
    pub(crate) fn hint(&self, broadcast: &Broadcast) {
        match &self.dialect {
            Dialect::Native => self.outbox.offer(broadcast.native()),
            Dialect::Stomp(queues) => {
                for text in queues.say(broadcast) {
                    self.outbox.offer(text);
                }
            }
        }
    }

    /// Adds what concerns the person, wherever their client listens for it.
    pub(crate) fn tell(&self, broadcast: &Broadcast) {
        match &self.dialect {
            Dialect::Native => self.outbox.push(broadcast.native()),
            Dialect::Stomp(queues) => {
                for text in queues.say(broadcast) {
                    self.outbox.push(text);
                }
            }
        }
    }

    /// A frame as those of this socket's queues get it that it belongs to.
    pub(super) fn queued(&self, broadcast: &Broadcast) -> Vec<Utf8Bytes> {
        match &self.dialect {
            Dialect::Native => Vec::new(),
            Dialect::Stomp(queues) => queues.say(broadcast),
        }
    }

    /// Asks the socket to close. The first reason counts.
    pub(crate) fn close(&self, code: CloseCode) {
        self.end(End::Close(code));
    }

    /// Asks the socket to end. The first reason counts.
    pub(super) fn end(&self, end: End) {
        if self.end.set(end).is_ok() {
            self.ending.notify_one();
        }
    }

    pub(super) fn is_ending(&self) -> bool {
        self.end.get().is_some()
    }

    /// Returns when somebody asked the socket to end.
    pub(super) async fn asked_to_end(&self) -> End {
        loop {
            if let Some(end) = self.end.get() {
                return end.clone();
            }
            self.ending.notified().await;
        }
    }

    /// The client has shown that it is there.
    pub(super) fn hear(&self) {
        self.heard_ms.store(self.age_ms(), Ordering::Relaxed);
    }

    /// How long ago the client has last been heard.
    pub(super) fn silence(&self) -> Duration {
        let heard = self.heard_ms.load(Ordering::Relaxed);
        Duration::from_millis(self.age_ms().saturating_sub(heard))
    }

    /// Pings a quiet socket. False: it has been quiet for too long.
    pub(super) fn keep_alive(&self, ping: Duration) -> bool {
        let ping_ms = u64::try_from(ping.as_millis()).unwrap_or(u64::MAX);
        let now = self.age_ms();
        let heard = self.heard_ms.load(Ordering::Relaxed);
        if now.saturating_sub(heard) > ping_ms.saturating_mul(2) {
            return false;
        }
        let last = heard.max(self.pinged_ms.load(Ordering::Relaxed));
        if now.saturating_sub(last) > ping_ms {
            self.pinged_ms.store(now, Ordering::Relaxed);
            self.outbox.ping();
        }
        true
    }

    fn age_ms(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
