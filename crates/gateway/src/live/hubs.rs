//! The rooms that are followed: started with their first subscriber, ended after their last.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_nats::{Client, Subscriber};
use doran_contract::{RoomId, UserId, subject};
use doran_eventstore::ReadError;
use doran_platform::{
    Lifecycle, Platform,
    directory::{RoomEntry, Rooms},
};
use tokio::{
    sync::OnceCell,
    time::{error::Elapsed, timeout},
};

use super::{Guest, Hub, Log, Pulse, Renderer, Seated, follow::Follower, timeline::Timeline};
use crate::Timing;

const START: Duration = Duration::from_secs(5);

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Hubs(Arc<Shared>);

struct Shared {
    nats: Client,
    log: Log,
    renderer: Renderer,
    rooms: Rooms,
    pulse: Pulse,
    lifecycle: Lifecycle,
    timing: Timing,
    hubs: Mutex<HashMap<RoomId, Slot>>,
}

/// Filled by the first who asks; the others wait for them.
type Slot = Arc<OnceCell<Arc<Hub>>>;

#[derive(Debug, thiserror::Error)]
pub(crate) enum HubError {
    #[error("not a member of this room")]
    NotMember,
    #[error("the room's messages cannot be followed now")]
    Subscribe(#[from] async_nats::SubscribeError),
    #[error("the room's messages cannot be read now")]
    Read(#[from] ReadError),
    #[error("the room's messages could not be followed in time")]
    Late(#[from] Elapsed),
}

impl Hubs {
    pub(crate) fn new(
        platform: &Platform,
        rooms: &Rooms,
        log: Log,
        pulse: Pulse,
        timing: Timing,
    ) -> Self {
        Self(Arc::new(Shared {
            nats: platform.nats.clone(),
            renderer: Renderer::new(platform.keyring.clone()),
            rooms: rooms.clone(),
            lifecycle: platform.lifecycle.clone(),
            log,
            pulse,
            timing,
            hubs: Mutex::default(),
        }))
    }

    /// Which incarnation of the log all sequences belong to.
    pub(crate) fn epoch(&self) -> Arc<str> {
        self.0.pulse.epoch()
    }

    pub(super) fn log(&self) -> &Log {
        &self.0.log
    }

    /// Seats a socket in a room whose member its user is. The client has everything up to `after`.
    pub(crate) async fn seat(
        &self,
        room: RoomId,
        guest: &Guest,
        after: u64,
    ) -> Result<(Arc<Hub>, Seated), HubError> {
        loop {
            let hub = timeout(START, self.hub(room)).await??;
            let Ok(seated) = hub.seat(guest, after) else {
                self.forget(&hub);
                continue;
            };
            // A removal that came before the seat was taken has not ended it, and is known now.
            if !self.is_member(room, guest.link.user_id) {
                hub.leave(guest.seat);
                return Err(HubError::NotMember);
            }
            return Ok((hub, seated));
        }
    }

    pub(crate) fn renderer(&self) -> &Renderer {
        &self.0.renderer
    }

    /// The hub of a room, if it is followed here.
    pub(super) fn get(&self, room: RoomId) -> Option<Arc<Hub>> {
        self.hubs().get(&room)?.get().cloned()
    }

    /// Ends the subscriptions of people who are not members any more, in every room.
    pub(super) fn keep_members(&self) {
        let hubs: Vec<_> = self
            .hubs()
            .values()
            .filter_map(|slot| slot.get().cloned())
            .collect();
        for hub in hubs {
            hub.keep_members(|user| self.is_member(hub.room(), user));
        }
    }

    /// Ends every hub when the log is not the one that they have followed.
    pub(crate) async fn end_with_the_log(self, mut pulse: Pulse) {
        let stopping = self.0.lifecycle.stopping().clone();
        pulse.epoch.mark_unchanged();
        while let Some(Ok(())) = stopping.run_until_cancelled(pulse.epoch.changed()).await {
            let hubs: Vec<Slot> = self.hubs().drain().map(|(_, slot)| slot).collect();
            hubs.iter()
                .filter_map(|slot| slot.get())
                .for_each(|hub| hub.end());
        }
    }

    fn is_member(&self, room: RoomId, user: UserId) -> bool {
        let members = |entry: &RoomEntry| entry.members.contains_key(&user);
        self.0.rooms.look(room, members) == Some(true)
    }

    async fn hub(&self, room: RoomId) -> Result<Arc<Hub>, HubError> {
        let slot = Arc::clone(self.hubs().entry(room).or_default());
        let started = slot.get_or_try_init(|| self.start(room)).await;
        if started.is_err() {
            let mut hubs = self.hubs();
            // Unless somebody else waits for it.
            if hubs
                .get(&room)
                .is_some_and(|kept| Arc::strong_count(kept) <= 2)
            {
                hubs.remove(&room);
            }
        }
        started.cloned()
    }

    async fn start(&self, room: RoomId) -> Result<Arc<Hub>, HubError> {
        let shared = &self.0;
        // Subscribed before the heads are read, so that nothing falls in between.
        let live = subject::live(&subject::message(room, ">"));
        let live = shared.nats.subscribe(live).await?;
        let typing = shared.nats.subscribe(subject::typing(room)).await?;
        let heads = shared.log.heads(room).await?;
        let timeline = Timeline::starting_after(heads);
        let hub = Arc::new(Hub::new(room, timeline));
        let follower = Follower {
            nats: shared.nats.clone(),
            hub: Arc::clone(&hub),
            log: shared.log.clone(),
            renderer: shared.renderer.clone(),
        };
        shared
            .lifecycle
            .spawn(self.clone().follow(follower, live, typing));
        Ok(hub)
    }

    async fn follow(self, follower: Follower, live: Subscriber, typing: Subscriber) {
        let shared = &self.0;
        let connections = shared.pulse.connections.clone();
        let stopping = shared.lifecycle.stopping();
        metrics::gauge!("gateway_rooms").increment(1.0);
        let run = follower.run(live, typing, connections, shared.timing);
        stopping.run_until_cancelled(run).await;
        metrics::gauge!("gateway_rooms").decrement(1.0);
        self.forget(&follower.hub);
    }

    fn forget(&self, hub: &Arc<Hub>) {
        let mut hubs = self.hubs();
        let kept = hubs.get(&hub.room()).and_then(|slot| slot.get());
        if kept.is_some_and(|kept| Arc::ptr_eq(kept, hub)) {
            hubs.remove(&hub.room());
        }
    }

    fn hubs(&self) -> MutexGuard<'_, HashMap<RoomId, Slot>> {
        self.0.hubs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
