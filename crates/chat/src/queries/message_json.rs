//! A row of `messages` as one JSON value, in the form of [`crate::messages::Sealed`].

/// SQL expression over the table alias `m`.
macro_rules! message_json {
    () => {
        "jsonb_build_object(
            'messageId', m.id, 'roomId', m.room_id, 'senderId', m.sender_id,
            'senderType', m.sender_type, 'content', m.content, 'contentType', m.content_type,
            'clientMessageId', m.client_message_id, 'replyTo', m.reply_to,
            'mentions', to_jsonb(m.mentions), 'eventId', m.event_id, 'seq', m.seq,
            'createdAt', m.created_at
        )"
    };
}
pub(super) use message_json;
