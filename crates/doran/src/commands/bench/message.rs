//! Messages as a gateway sends them to the chat service, over NATS.

use std::time::Duration;

use anyhow::{Result, bail};
use async_nats::{Client, Request};
use doran_contract::{
    ClientMessageId, RoomId, UserId,
    command::{Reply, SEND_MESSAGES, SendMessage, SentInOrder},
    message::ContentType,
};
use doran_platform::Clock;

use crate::exit::dependency;

const DEADLINE: Duration = Duration::from_secs(5);

/// Sends a message; its sequence.
pub(super) async fn send(
    client: &Client,
    clock: &Clock,
    (room, sender): (RoomId, UserId),
    content: String,
) -> Result<u64> {
    let command = SendMessage {
        sender_id: sender,
        room_id: room,
        client_message_id: ClientMessageId::from(clock.new_id()),
        content,
        content_type: ContentType::Text,
        reply_to: None,
        mentions: Vec::new(),
        file_ids: Vec::new(),
    };
    let request = Request::new()
        .payload(serde_json::to_vec(&[command])?.into())
        .timeout(Some(DEADLINE));
    let reply = client.send_request(SEND_MESSAGES, request).await;
    let reply = reply.map_err(dependency)?;
    let sent = match serde_json::from_slice::<Reply<SentInOrder>>(&reply.payload)? {
        Reply::Accepted(sent) => sent,
        Reply::Refused { code, message } => bail!("{code:?}: {message}"),
    };
    match sent.outcomes.first() {
        Some(Reply::Accepted(sent)) => Ok(sent.seq),
        Some(Reply::Refused { code, message }) => bail!("{code:?}: {message}"),
        None => bail!("a message was not answered"),
    }
}

/// An ordinary message, somewhat longer than most.
pub(super) fn sample(number: u64) -> String {
    format!("주간회의록 {number}번을 정리해서 올립니다. Please read it before Monday.")
}
