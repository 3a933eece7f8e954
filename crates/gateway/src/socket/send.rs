//! `send`: a message to a room, acknowledged after the log has it.

use doran_contract::{
    ErrorCode,
    command::{SEND_MESSAGE, SendMessage, Sent},
    frame::{self, ServerFrame},
    message::{ContentType, MAX_CONTENT_CHARS},
};

use super::{answer::Denied, command::ask, connection::Connection};

pub(super) async fn send(
    connection: &Connection,
    message: frame::Send,
) -> Result<impl FnOnce(Option<u64>) -> ServerFrame + use<>, Denied> {
    if message.content.chars().count() > MAX_CONTENT_CHARS {
        let text = format!("a message has {MAX_CONTENT_CHARS} characters at most");
        return Err(Denied::new(ErrorCode::TooLarge, text));
    }
    connection.limit_writing().await?;
    let command = SendMessage {
        sender_id: connection.link.user_id,
        room_id: message.room_id,
        client_message_id: message.client_message_id,
        content: message.content,
        content_type: ContentType::Text,
        reply_to: message.reply_to,
        mentions: message.mentions,
        file_ids: message.file_ids,
    };
    let sent: Sent = ask(connection, SEND_MESSAGE, &command).await?;
    Ok(move |id| ServerFrame::Ack {
        id,
        message_id: sent.message_id,
        seq: sent.seq,
        created_at: sent.created_at,
        duplicate: sent.duplicate,
        durability: sent.durability,
    })
}
