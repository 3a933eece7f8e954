//! Answers that bots are writing, told piece by piece. What is lost comes with the message itself.

use async_nats::Subscriber;
use doran_contract::{bot::BotDelta, frame::ServerFrame};
use futures_util::StreamExt;

use crate::gateway::Gateway;

/// Tells the subscribers of each room, until the process stops.
pub(crate) async fn follow_bots(gateway: Gateway, mut deltas: Subscriber) {
    let stopping = gateway.platform.lifecycle.stopping();
    while let Some(Some(message)) = stopping.run_until_cancelled(deltas.next()).await {
        match serde_json::from_slice::<BotDelta>(&message.payload) {
            Ok(delta) => {
                if let Some(hub) = gateway.hubs.get(delta.room_id) {
                    hub.hint(ServerFrame::BotDelta(delta));
                }
            }
            Err(error) => tracing::debug!(%error, "a piece of an answer that cannot be read"),
        }
    }
}
