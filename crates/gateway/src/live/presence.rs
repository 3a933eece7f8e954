//! Who is here, said to all gateways in batches, and told to those who share a room with them.
//!
//! What is lost on the way is lost: presence is asked for over HTTP, and told when it changes.

use std::collections::HashMap;

use async_nats::Subscriber;
use doran_contract::{UserId, frame::ServerFrame, room::Presence, room::PresenceState, subject};
use futures_util::StreamExt;
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

use super::Broadcast;
use crate::gateway::Gateway;

/// People whom one call names.
const BATCH: usize = 500;

/// Keeps the presence of everybody who has sockets here, until the process stops.
pub(crate) async fn keep_presence(gateway: Gateway) {
    let id = gateway.platform.clock.new_id();
    let stopping = gateway.platform.lifecycle.stopping();
    let mut beats = interval(gateway.timing.beat);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sweeps = interval(gateway.timing.sweep);
    sweeps.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stopping.cancelled() => break,
            () = gateway.sockets.presence_changed() => {}
            _ = sweeps.tick() => {}
            _ = beats.tick() => gateway.sockets.note_all(),
        }
        let people = gateway.sockets.take_changed();
        note(&gateway, id, &people).await;
    }
    // Their sockets close now; who comes back elsewhere in time was never away.
    gateway.sockets.note_all();
    let people = gateway.sockets.take_changed();
    let gone: Vec<_> = people.into_iter().map(|(user, _)| (user, None)).collect();
    note(&gateway, id, &gone).await;
}

async fn note(gateway: &Gateway, id: Uuid, people: &[(UserId, Option<PresenceState>)]) {
    let batches = people.chunks(BATCH);
    // With nobody to name it still asks whose presence has ended by itself.
    let nobody = people.is_empty().then_some(people);
    for batch in batches.chain(nobody) {
        let terms = gateway.timing.presence;
        let Some(changes) = gateway.presences.note(id, terms, batch).await else {
            return;
        };
        for change in changes {
            let body = serde_json::to_vec(&change).expect("this is plain data");
            let subject = subject::presence(change.user_id);
            if let Err(error) = gateway.platform.nats.publish(subject, body.into()).await {
                tracing::debug!(%error, "nobody can be told of a presence");
            }
        }
    }
}

/// Tells of what any gateway found changed.
pub(crate) async fn follow_presence(gateway: Gateway, mut changes: Subscriber) {
    let stopping = gateway.platform.lifecycle.stopping();
    while let Some(Some(message)) = stopping.run_until_cancelled(changes.next()).await {
        match serde_json::from_slice(&message.payload) {
            Ok(presence) => tell(&gateway, presence),
            Err(error) => tracing::debug!(%error, "a presence that cannot be read"),
        }
    }
}

fn tell(gateway: &Gateway, presence: Presence) {
    let mut links = HashMap::new();
    for room in gateway.rooms.of_member(presence.user_id) {
        if let Some(hub) = gateway.hubs.get(room) {
            hub.add_others(presence.user_id, &mut links);
        }
    }
    if links.is_empty() {
        return;
    }
    let frame = Broadcast::new(ServerFrame::Presence(presence));
    for link in links.into_values() {
        link.hint(&frame);
    }
}
