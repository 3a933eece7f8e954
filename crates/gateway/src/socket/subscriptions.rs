//! The rooms that one socket is subscribed to.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use doran_contract::{ErrorCode, RoomId};

use super::{answer::Denied, link::ConnectionId};
use crate::live::Hub;

/// Rooms that one socket may follow.
const MOST: usize = 1000;

pub(super) struct Subscriptions {
    connection: ConnectionId,
    hubs: Mutex<HashMap<RoomId, Arc<Hub>>>,
}

impl Subscriptions {
    pub(super) fn new(connection: ConnectionId) -> Self {
        Self {
            connection,
            hubs: Mutex::default(),
        }
    }

    /// Whether one more is allowed.
    pub(super) fn admit(&self, room: RoomId) -> Result<(), Denied> {
        let hubs = self.hubs();
        if hubs.len() < MOST || hubs.contains_key(&room) {
            return Ok(());
        }
        let message = format!("one socket follows {MOST} rooms at most");
        Err(Denied::new(ErrorCode::Conflict, message))
    }

    pub(super) fn insert(&self, room: RoomId, hub: &Arc<Hub>) {
        self.hubs().insert(room, Arc::clone(hub));
    }

    pub(super) fn remove(&self, room: RoomId) {
        if let Some(hub) = self.hubs().remove(&room) {
            hub.leave(self.connection);
        }
    }

    fn hubs(&self) -> MutexGuard<'_, HashMap<RoomId, Arc<Hub>>> {
        self.hubs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Subscriptions {
    fn drop(&mut self) {
        for hub in self.hubs().values() {
            hub.leave(self.connection);
        }
    }
}
