//! SEND: a message to a room. Its RECEIPT comes after the log has it.

use doran_contract::{
    ErrorCode, RoomId,
    frame::{self, ServerFrame, StompSend},
};

use super::{
    frame::Frame,
    reader::{confirm, refuse},
    version::Version,
};
use crate::{
    live::Broadcast,
    socket::{answer::Denied, connection::Connection, send as native},
};

pub(super) struct Sending {
    /// None where the body names the room.
    pub(super) room: Option<RoomId>,
    pub(super) frame: Frame,
}

pub(super) async fn send(connection: &Connection, version: Version, sending: Sending) {
    let receipt = sending.frame.receipt();
    match deliver(connection, &sending).await {
        Ok(ack) => {
            confirm(connection, version, receipt).await;
            for text in connection.link.queued(&Broadcast::new(ack)) {
                connection.link.outbox.answer(text).await;
            }
        }
        Err(denied) => tell(connection, version, denied, receipt).await,
    }
}

async fn deliver(connection: &Connection, sending: &Sending) -> Result<ServerFrame, Denied> {
    let message = read(connection, sending)?;
    let sent = native::send(connection, message).await?;
    Ok(native::ack(None, &sent))
}

fn read(connection: &Connection, sending: &Sending) -> Result<frame::Send, Denied> {
    let malformed = |message| Denied::new(ErrorCode::BadRequest, message);
    let body: StompSend = serde_json::from_slice(&sending.frame.body).map_err(|_invalid| {
        malformed("the body is JSON: {\"content\", \"clientMessageId\"?, \"roomId\"?}")
    })?;
    let room_id = match (sending.room, body.room_id) {
        (Some(room), Some(other)) if room != other => {
            return Err(malformed("destination and body name different rooms"));
        }
        (Some(room), _) | (None, Some(room)) => room,
        (None, None) => return Err(malformed("the body has to name a roomId")),
    };
    let new_id = || connection.gateway.platform.clock.new_id().into();
    Ok(frame::Send {
        room_id,
        client_message_id: body.client_message_id.unwrap_or_else(new_id),
        content: body.content,
        reply_to: body.reply_to,
        mentions: body.mentions,
        file_ids: body.file_ids,
    })
}

/// Who listens on `/user/queue/errors` is told there, and stays connected.
async fn tell(connection: &Connection, version: Version, denied: Denied, receipt: Option<&str>) {
    let refused = Broadcast::new(denied.clone().frame(None));
    let told = connection.link.queued(&refused);
    if told.is_empty() {
        refuse(connection, version, denied, receipt);
    }
    for text in told {
        connection.link.outbox.answer(text).await;
    }
}
