//! What the rest of the gateway holds of a socket that is logged in.

use std::{
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use doran_contract::{
    SessionId, Timestamp, UserId,
    frame::{CloseCode, ShownState},
};
use tokio::{sync::Notify, time::Instant};
use uuid::Uuid;

use super::outbox::Outbox;

pub(crate) type ConnectionId = Uuid;

pub(crate) struct Link {
    pub(crate) id: ConnectionId,
    pub(crate) user_id: UserId,
    pub(crate) outbox: Outbox,
    login: ArcSwap<Login>,
    shown: Mutex<ShownState>,
    opened: Instant,
    heard_ms: AtomicU64,
    pinged_ms: AtomicU64,
    close: OnceLock<CloseCode>,
    closing: Notify,
}

/// The token that a socket is logged in with.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) session_id: SessionId,
    pub(crate) expires_at: Timestamp,
    pub(crate) token: Box<str>,
}

impl Link {
    pub(crate) fn new(id: ConnectionId, user_id: UserId, login: Login) -> Self {
        Self {
            id,
            user_id,
            outbox: Outbox::default(),
            login: ArcSwap::from_pointee(login),
            shown: Mutex::new(ShownState::Online),
            opened: Instant::now(),
            heard_ms: AtomicU64::new(0),
            pinged_ms: AtomicU64::new(0),
            close: OnceLock::new(),
            closing: Notify::new(),
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

    /// Asks the socket to close. The first reason counts.
    pub(crate) fn close(&self, code: CloseCode) {
        if self.close.set(code).is_ok() {
            self.closing.notify_one();
        }
    }

    /// Returns when somebody asked the socket to close.
    pub(super) async fn asked_to_close(&self) -> CloseCode {
        loop {
            if let Some(code) = self.close.get() {
                return *code;
            }
            self.closing.notified().await;
        }
    }

    /// The client has shown that it is there.
    pub(super) fn hear(&self) {
        self.heard_ms.store(self.age_ms(), Ordering::Relaxed);
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
