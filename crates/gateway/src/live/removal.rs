//! Ends the subscriptions of people who are not members any more, at once: it waits for nothing.

use doran_contract::events::{ROOM_EVENTS, RoomEvent};
use doran_platform::event_schema;
use tokio::sync::broadcast::error::RecvError;

use crate::gateway::Gateway;

/// Watches every change of a membership until the process stops.
pub(crate) async fn follow_removals(gateway: Gateway) {
    let mut changes = gateway.rooms.model().subscribe();
    let stopping = gateway.platform.lifecycle.stopping().clone();
    while let Some(change) = stopping.run_until_cancelled(changes.recv()).await {
        match change {
            Ok(recorded) => {
                if let Ok(RoomEvent::MemberRemoved(removed)) =
                    recorded.decode(&event_schema(ROOM_EVENTS))
                    && let Some(hub) = gateway.hubs.get(removed.room_id)
                {
                    hub.remove(removed.user_id);
                }
            }
            // Some changes were missed, so the state they led to is looked at instead.
            Err(RecvError::Lagged(_)) => gateway.hubs.keep_members(),
            Err(RecvError::Closed) => return,
        }
    }
}
