//! Columns of a message under the names that its event has, so that one type reads both.

/// What to select from `messages m` for a [`Sealed`](crate::messages::Sealed).
macro_rules! message_columns {
    () => {
        r#"
        m.id as "messageId", m.room_id as "roomId", m.sender_id as "senderId",
        m.sender_type as "senderType", m.content as "content", m.content_type as "contentType",
        m.client_message_id as "clientMessageId", m.reply_to as "replyTo",
        m.mentions as "mentions", m.event_id as "eventId", m.seq as "seq",
        m.created_at as "createdAt"
        "#
    };
}
pub(super) use message_columns;
