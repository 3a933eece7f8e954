with removed as (
    select e."messageId", e."roomId", e.sequence, e."userId", e.emoji, e."time"
    from jsonb_to_recordset($1) as e(
        "messageId" uuid, "roomId" uuid, sequence bigint, "userId" uuid, emoji text,
        "time" timestamptz
    )
), timeline as (
    insert into timelines as t (room_id, head, changed_at)
    select e."roomId", max(e.sequence), max(e."time")
    from removed e
    group by e."roomId"
    on conflict (room_id) do update
    set head = excluded.head, changed_at = greatest(t.changed_at, excluded.changed_at)
    where t.head < excluded.head
)
delete from reactions r
using removed e
where r.message_id = e."messageId"
    and r.emoji = e.emoji
    and r.user_id = e."userId"
    and r.seq < e.sequence
