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
                if let Ok(event) = recorded.decode(&event_schema(ROOM_EVENTS)) {
                    end(&gateway, &event);
                }
            }
            // Some changes were missed, so the state they led to is looked at instead.
            Err(RecvError::Lagged(_)) => gateway.hubs.keep_members(),
            Err(RecvError::Closed) => return,
        }
    }
}

fn end(gateway: &Gateway, event: &RoomEvent) {
    let remove = |room, user| {
        if let Some(hub) = gateway.hubs.get(room) {
            hub.remove(user);
        }
    };
    match event {
        RoomEvent::MemberRemoved(removed) => remove(removed.room_id, removed.user_id),
        RoomEvent::MemberBanned(banned) => remove(banned.room_id, banned.user_id),
        RoomEvent::ChatRoomDeleted(deleted) => {
            if let Some(hub) = gateway.hubs.get(deleted.room_id) {
                hub.keep_members(|_| false);
            }
        }
        RoomEvent::ChatRoomCreated(_)
        | RoomEvent::ChatRoomRenamed(_)
        | RoomEvent::ChatRoomDescribed(_)
        | RoomEvent::ChatRoomVisibilityChanged(_)
        | RoomEvent::ChatRoomSettingsChanged(_)
        | RoomEvent::ChatRoomArchived(_)
        | RoomEvent::ChatRoomUnarchived(_)
        | RoomEvent::MemberJoined(_)
        | RoomEvent::MemberRoleChanged(_)
        | RoomEvent::MemberUnbanned(_)
        | RoomEvent::InviteCreated(_)
        | RoomEvent::RoomRestricted(_)
        | RoomEvent::RoomDeactivated(_)
        | RoomEvent::RoomReactivated(_) => {}
    }
}
