-- The same reaction again changes nothing.
with added as (
    select e."messageId", e."roomId", e.sequence, e."userId", e.emoji, e."time"
    from jsonb_to_recordset($1) as e(
        "messageId" uuid, "roomId" uuid, sequence bigint, "userId" uuid, emoji text,
        "time" timestamptz
    )
), timeline as (
    insert into timelines as t (room_id, head, changed_at)
    select e."roomId", max(e.sequence), max(e."time")
    from added e
    group by e."roomId"
    on conflict (room_id) do update
    set head = excluded.head, changed_at = greatest(t.changed_at, excluded.changed_at)
    where t.head < excluded.head
)
insert into reactions (message_id, emoji, user_id, seq)
select distinct on (e."messageId", e.emoji, e."userId")
    e."messageId", e.emoji, e."userId", e.sequence
from added e
join messages m on m.id = e."messageId" and m.room_id = e."roomId"
where e.sequence > m.seq
    and not m.deleted
order by e."messageId", e.emoji, e."userId", e.sequence
on conflict (message_id, emoji, user_id) do nothing
