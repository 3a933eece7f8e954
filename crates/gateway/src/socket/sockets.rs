//! All sockets of this gateway that are logged in, by user.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use doran_contract::{UserId, frame::ShownState, room::PresenceState};
use tokio::sync::Notify;

use super::{Link, link::Login};
use crate::live::Broadcast;

/// Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Sockets(Arc<Shared>);

#[derive(Default)]
struct Shared {
    by_user: Mutex<HashMap<UserId, Vec<Arc<Link>>>>,
    /// Whose presence here may have changed.
    changed: Mutex<HashSet<UserId>>,
    has_changed: Notify,
}

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
        self.note(link.user_id);
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
    pub(crate) fn tell(&self, user: UserId, frame: &Broadcast) {
        for link in self.by_user().get(&user).into_iter().flatten() {
            link.tell(frame);
        }
    }

    /// Hands a frame to every socket; how many they are.
    pub(crate) fn tell_all(&self, frame: &Broadcast) -> usize {
        let links = self.all();
        for link in &links {
            link.tell(frame);
        }
        links.len()
    }

    pub(super) fn count(&self) -> usize {
        self.by_user().values().map(Vec::len).sum()
    }

    pub(super) fn all(&self) -> Vec<Arc<Link>> {
        self.by_user().values().flatten().cloned().collect()
    }

    /// Notes that somebody's presence may have changed.
    pub(super) fn note(&self, user: UserId) {
        self.changed().insert(user);
        self.0.has_changed.notify_one();
    }

    /// Notes it of everybody who is here.
    pub(crate) fn note_all(&self) {
        let users: Vec<_> = self.by_user().keys().copied().collect();
        self.changed().extend(users);
    }

    /// Returns when somebody's presence may have changed.
    pub(crate) async fn presence_changed(&self) {
        self.0.has_changed.notified().await;
    }

    /// How those are here whose presence may have changed; none of them are gone.
    pub(crate) fn take_changed(&self) -> Vec<(UserId, Option<PresenceState>)> {
        let changed = std::mem::take(&mut *self.changed());
        let by_user = self.by_user();
        let presence = |user| (user, by_user.get(&user).and_then(|links| shown(links)));
        changed.into_iter().map(presence).collect()
    }

    fn changed(&self) -> MutexGuard<'_, HashSet<UserId>> {
        let changed = self.0.changed.lock();
        changed.unwrap_or_else(PoisonError::into_inner)
    }

    fn by_user(&self) -> MutexGuard<'_, HashMap<UserId, Vec<Arc<Link>>>> {
        self.0
            .by_user
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Online if any socket is, away if the others that count are.
fn shown(links: &[Arc<Link>]) -> Option<PresenceState> {
    let states = || links.iter().map(|link| link.shown());
    if states().any(|state| state == ShownState::Online) {
        Some(PresenceState::Online)
    } else if states().any(|state| state == ShownState::Away) {
        Some(PresenceState::Away)
    } else {
        None
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
        drop(by_user);
        self.sockets.note(self.link.user_id);
    }
}
