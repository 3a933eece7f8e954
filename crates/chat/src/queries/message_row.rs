//! Columns of a message under the names that its event has, so that one type reads both.

/// What to select from `messages m` for a [`Sealed`](crate::messages::Sealed), as the person sees
/// it whose id is the parameter `$reader`. Most messages have no reactions to be counted.
macro_rules! message_columns {
    ($reader:literal) => {
        concat!(
            r#"
        m.id as "messageId", m.room_id as "roomId", m.sender_id as "senderId",
        m.sender_type as "senderType", m.content as "content", m.content_type as "contentType",
        m.client_message_id as "clientMessageId", m.reply_to as "replyTo",
        m.mentions as "mentions", m.attachments as "attachments", m.event_id as "eventId", m.seq as "seq",
        m.created_at as "createdAt", m.edited_at as "editedAt", m.pinned as "pinned",
        m.deleted as "deleted",
        case
            when exists (select from reactions r where r.message_id = m.id)
            then (
                select json_agg(
                    json_build_object('emoji', k.emoji, 'count', k.count, 'me', k.me)
                    order by k.first
                )
                from (
                    select
                        r.emoji, count(*) as count, min(r.seq) as first,
                        bool_or(r.user_id = "#,
            $reader,
            r#") as me
                    from reactions r
                    where r.message_id = m.id
                    group by r.emoji
                ) k
            )
            else '[]'
        end as "reactions"
        "#
        )
    };
}
pub(crate) use message_columns;
