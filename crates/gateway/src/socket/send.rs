//! `send`: messages to rooms, acknowledged after the log has them.

use doran_contract::{
    ErrorCode,
    command::{Reply, SEND_MESSAGES, SendMessage, Sent, SentInOrder},
    frame::{self, ServerFrame},
    message::{ContentType, MAX_CONTENT_CHARS},
};
use futures_util::future::join_all;

use super::{
    answer::Denied,
    command::{ask, fate_unknown},
    connection::Connection,
};

/// Bytes of content that one command takes, so that it fits into a message of NATS whatever has to
/// be escaped in it.
const MAX_COMMAND_BYTES: usize = 128 * 1024;

/// A frame `send` that waits for its turn.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) id: Option<u64>,
    pub(super) message: frame::Send,
}

impl Outgoing {
    /// Whether the command that takes those before it can take it too.
    pub(super) fn fits_behind(&self, before: &[Self]) -> bool {
        let bytes = |outgoing: &Self| outgoing.message.content.len();
        before.iter().map(bytes).sum::<usize>() + bytes(self) <= MAX_COMMAND_BYTES
    }
}

/// Stores messages in their order, and answers each frame.
pub(super) async fn send_all(connection: &Connection, outgoing: Vec<Outgoing>) {
    let (ids, messages): (Vec<_>, _) = outgoing
        .into_iter()
        .map(|Outgoing { id, message }| (id, message))
        .unzip();
    let outcomes = deliver(connection, messages).await;
    for (id, outcome) in ids.into_iter().zip(outcomes) {
        let frame = match outcome {
            Ok(sent) => ack(id, &sent),
            Err(denied) => denied.frame(id),
        };
        connection.reply(&frame).await;
    }
}

/// As [`send_all`], for one message whose answer the caller gives.
pub(super) async fn send(connection: &Connection, message: frame::Send) -> Result<Sent, Denied> {
    let outcomes = deliver(connection, vec![message]).await;
    let outcome = outcomes.into_iter().next();
    outcome.unwrap_or_else(|| Err(fate_unknown()))
}

pub(super) fn ack(id: Option<u64>, sent: &Sent) -> ServerFrame {
    ServerFrame::Ack {
        id,
        message_id: sent.message_id,
        seq: sent.seq,
        created_at: sent.created_at,
        duplicate: sent.duplicate,
        durability: sent.durability,
    }
}

/// What became of each. All that may be sent go to the chat service as one command, for one by one
/// the last would wait as often for the log and the network as there are messages before it.
async fn deliver(connection: &Connection, messages: Vec<frame::Send>) -> Vec<Result<Sent, Denied>> {
    let admitted = join_all(messages.iter().map(|message| admit(connection, message))).await;
    let commands: Vec<_> = messages
        .into_iter()
        .zip(&admitted)
        .filter(|(_, admitted)| admitted.is_ok())
        .map(|(message, _)| command(connection, message))
        .collect();
    let replies = if commands.is_empty() {
        Ok(SentInOrder::default())
    } else {
        ask::<_, SentInOrder>(connection, SEND_MESSAGES, &commands).await
    };
    let mut replies = replies.map(|sent| sent.outcomes.into_iter());
    let outcomes = admitted.into_iter().map(|admitted| {
        admitted?;
        let reply = replies.as_mut().map_err(|denied| denied.clone())?.next();
        match reply {
            Some(Reply::Accepted(sent)) => Ok(sent),
            Some(Reply::Refused { code, message }) => Err(Denied::new(code, message)),
            None => Err(fate_unknown()),
        }
    });
    outcomes.collect()
}

async fn admit(connection: &Connection, message: &frame::Send) -> Result<(), Denied> {
    if message.content.chars().count() > MAX_CONTENT_CHARS {
        let text = format!("a message has {MAX_CONTENT_CHARS} characters at most");
        return Err(Denied::new(ErrorCode::TooLarge, text));
    }
    connection.limit().await
}

fn command(connection: &Connection, message: frame::Send) -> SendMessage {
    SendMessage {
        sender_id: connection.link.user_id,
        room_id: message.room_id,
        client_message_id: message.client_message_id,
        content: message.content,
        content_type: ContentType::Text,
        reply_to: message.reply_to,
        mentions: message.mentions,
        file_ids: message.file_ids,
    }
}
