with told as (
    select e."messageId", e."roomId", e.sequence, e."time"
    from jsonb_to_recordset($1) as e(
        "messageId" uuid, "roomId" uuid, sequence bigint, "time" timestamptz
    )
), timeline as (
    insert into timelines as t (room_id, head, changed_at)
    select e."roomId", max(e.sequence), max(e."time")
    from told e
    group by e."roomId"
    on conflict (room_id) do update
    set head = excluded.head, changed_at = greatest(t.changed_at, excluded.changed_at)
    where t.head < excluded.head
)
update messages m
set
    pinned = false,
    pin_seq = e.sequence
from (
    select t."messageId", t."roomId", max(t.sequence) as sequence
    from told t
    group by t."messageId", t."roomId"
) e
where m.id = e."messageId"
    and m.room_id = e."roomId"
    and e.sequence > greatest(m.seq, m.pin_seq)
    and not m.deleted
