//! What one socket is subscribed to.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use doran_contract::{ErrorCode, RoomId};

use super::answer::Denied;
use crate::live::{Hub, SeatId};

/// Rooms that one socket may follow.
const MOST: usize = 1000;

/// What a client calls a subscription.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Name {
    Room(RoomId),
    Given(Box<str>),
}

#[derive(Default)]
pub(super) struct Subscriptions(Mutex<HashMap<Name, Place>>);

struct Place {
    hub: Arc<Hub>,
    seat: SeatId,
}

impl Subscriptions {
    /// Whether one more is allowed.
    pub(super) fn admit(&self, name: &Name) -> Result<(), Denied> {
        let places = self.places();
        if places.len() < MOST || places.contains_key(name) {
            return Ok(());
        }
        let message = format!("one socket follows {MOST} rooms at most");
        Err(Denied::new(ErrorCode::Conflict, message))
    }

    /// Takes the place of an earlier subscription of that name.
    pub(super) fn insert(&self, name: Name, hub: &Arc<Hub>, seat: SeatId) {
        let place = Place {
            hub: Arc::clone(hub),
            seat,
        };
        let earlier = self.places().insert(name, place);
        if let Some(earlier) = earlier.filter(|earlier| earlier.seat != seat) {
            earlier.hub.leave(earlier.seat);
        }
    }

    pub(super) fn remove(&self, name: &Name) {
        if let Some(place) = self.places().remove(name) {
            place.hub.leave(place.seat);
        }
    }

    fn places(&self) -> MutexGuard<'_, HashMap<Name, Place>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Subscriptions {
    fn drop(&mut self) {
        for place in self.places().values() {
            place.hub.leave(place.seat);
        }
    }
}
