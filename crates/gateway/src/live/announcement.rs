//! What operators say to everybody who is here. It lies nowhere: who comes later has missed it.

use async_nats::{Message, Subscriber};
use doran_contract::frame::{Notice, ServerFrame};
use futures_util::StreamExt;

use super::Broadcast;
use crate::gateway::Gateway;

/// Tells every socket, until the process stops, and the operator how many they were.
pub(crate) async fn follow_notices(gateway: Gateway, mut notices: Subscriber) {
    let stopping = gateway.platform.lifecycle.stopping();
    while let Some(Some(said)) = stopping.run_until_cancelled(notices.next()).await {
        match serde_json::from_slice::<Notice>(&said.payload) {
            Ok(notice) if notice.fits() => {
                let told = gateway
                    .sockets
                    .tell_all(&Broadcast::new(ServerFrame::Notice(notice)));
                answer(&gateway, said, told).await;
            }
            Ok(_) => tracing::debug!("a notice that is too long"),
            Err(error) => tracing::debug!(%error, "a notice that cannot be read"),
        }
    }
}

async fn answer(gateway: &Gateway, said: Message, told: usize) {
    let Some(reply) = said.reply else { return };
    let answered = gateway
        .platform
        .nats
        .publish(reply, told.to_string().into());
    if let Err(error) = answered.await {
        tracing::debug!(%error, "nobody hears how many were told");
    }
}
