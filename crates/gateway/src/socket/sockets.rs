//! All sockets of this gateway that are logged in, by user.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::extract::ws::Utf8Bytes;
use doran_contract::UserId;

use super::{Link, link::Login};

/// Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Sockets(Arc<Mutex<HashMap<UserId, Vec<Arc<Link>>>>>);

/// A socket's entry; it goes with the socket.
pub(super) struct Entry {
    sockets: Sockets,
    link: Arc<Link>,
}

impl Sockets {
    pub(super) fn enter(&self, link: &Arc<Link>) -> Entry {
        self.by_user()
            .entry(link.user_id)
            .or_default()
            .push(Arc::clone(link));
        Entry {
            sockets: self.clone(),
            link: Arc::clone(link),
        }
    }

    pub(crate) fn has(&self, user: UserId) -> bool {
        self.by_user().contains_key(&user)
    }

    /// What lasts longest of what a user's sockets are logged in with.
    pub(crate) fn login(&self, user: UserId) -> Option<Arc<Login>> {
        let by_user = self.by_user();
        let logins = by_user.get(&user)?.iter().map(|link| link.login());
        logins.max_by_key(|login| login.expires_at)
    }

    /// Hands a frame to every socket of a user.
    pub(crate) fn push(&self, user: UserId, frame: &Utf8Bytes) {
        for link in self.by_user().get(&user).into_iter().flatten() {
            link.outbox.push(frame.clone());
        }
    }

    pub(super) fn count(&self) -> usize {
        self.by_user().values().map(Vec::len).sum()
    }

    pub(super) fn all(&self) -> Vec<Arc<Link>> {
        self.by_user().values().flatten().cloned().collect()
    }

    fn by_user(&self) -> MutexGuard<'_, HashMap<UserId, Vec<Arc<Link>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut by_user = self.sockets.by_user();
        if let Some(links) = by_user.get_mut(&self.link.user_id) {
            links.retain(|link| link.id != self.link.id);
            if links.is_empty() {
                by_user.remove(&self.link.user_id);
            }
        }
    }
}
