-- Once and for ever: what comes later changes a deleted message no more.
with gone as (
    select e."messageId", e."roomId", e.sequence, e."time"
    from jsonb_to_recordset($1) as e(
        "messageId" uuid, "roomId" uuid, sequence bigint, "time" timestamptz
    )
), timeline as (
    insert into timelines as t (room_id, head, changed_at)
    select e."roomId", max(e.sequence), max(e."time")
    from gone e
    group by e."roomId"
    on conflict (room_id) do update
    set head = excluded.head, changed_at = greatest(t.changed_at, excluded.changed_at)
    where t.head < excluded.head
), effective as (
    select distinct m.id, m.room_id, m.seq, m.mentions
    from gone e
    join messages m on m.id = e."messageId" and m.room_id = e."roomId"
    where e.sequence > m.seq
        and not m.deleted
), unmentioned as (
    delete from mentions t
    using effective e
    where t.user_id = any(e.mentions)
        and t.room_id = e.room_id
        and t.seq = e.seq
), unreacted as (
    delete from reactions r
    using effective e
    where r.message_id = e.id
)
update messages m
set
    content = null,
    mentions = '{}',
    attachments = '[]',
    edited_at = null,
    pinned = false,
    deleted = true
from effective e
where m.id = e.id
