-- Of a message that lies in the log twice the first counts.
-- The planner knows nothing of the batch. `not exists` would be a join that reads all messages, and
-- counts that are not materialized would be found out for each message again.
with every as (
    select
        e."messageId", e."roomId", e.sequence, e."eventId", e."senderId", e."senderType", e.content,
        e."contentType", e."clientMessageId", e."replyTo", e.mentions, e.attachments, e."time"
    from jsonb_to_recordset($1) as e(
        "messageId" uuid, "roomId" uuid, sequence bigint, "eventId" uuid, "senderId" uuid,
        "senderType" text, content jsonb, "contentType" text, "clientMessageId" text,
        "replyTo" uuid, mentions jsonb, attachments jsonb, "time" timestamptz
    )
), sent as (
    select distinct on (e."messageId")
        e."messageId", e."roomId", e.sequence, e."eventId", e."senderId", e."senderType", e.content,
        e."contentType", e."clientMessageId", e."replyTo", e.mentions, e.attachments, e."time"
    from every e
    where (select m.id from messages m where m.id = e."messageId") is null
    order by e."messageId", e.sequence
), timeline as (
    insert into timelines as t (room_id, head, changed_at)
    select e."roomId", max(e.sequence), max(e."time")
    from every e
    group by e."roomId"
    on conflict (room_id) do update
    set head = excluded.head, changed_at = greatest(t.changed_at, excluded.changed_at)
    where t.head < excluded.head
), room_counts as materialized (
    select
        s."roomId",
        (
            select m.number
            from messages m
            where m.room_id = s."roomId"
            order by m.seq desc
            limit 1
        ) as number
    from sent s
    group by s."roomId"
), sender_counts as materialized (
    select
        s."roomId",
        s."senderId",
        (
            select m.sender_number
            from messages m
            where m.room_id = s."roomId"
                and m.sender_id = s."senderId"
            order by m.seq desc
            limit 1
        ) as number
    from sent s
    group by s."roomId", s."senderId"
), mentioned as (
    insert into mentions (user_id, room_id, seq)
    select t.user_id::uuid, s."roomId", s.sequence
    from sent s
    cross join jsonb_array_elements_text(s.mentions) as t(user_id)
    where t.user_id::uuid <> s."senderId"
    on conflict (user_id, room_id, seq) do nothing
)
insert into messages (
    id, room_id, seq, number, sender_number, event_id, sender_id, sender_type, content,
    content_type, client_message_id, reply_to, mentions, attachments, created_at
)
select
    s."messageId", s."roomId", s.sequence,
    coalesce(r.number, 0) + row_number() over (partition by s."roomId" order by s.sequence),
    coalesce(p.number, 0)
        + row_number() over (partition by s."roomId", s."senderId" order by s.sequence),
    s."eventId", s."senderId", s."senderType", s.content,
    s."contentType", s."clientMessageId", s."replyTo",
    array(select t.user_id::uuid from jsonb_array_elements_text(s.mentions) as t(user_id)),
    coalesce(s.attachments, '[]'), s."time"
from sent s
join room_counts r on r."roomId" = s."roomId"
join sender_counts p on p."roomId" = s."roomId" and p."senderId" = s."senderId"
