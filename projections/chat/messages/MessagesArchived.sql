with filed as (
    select e."roomId", max(least(e.through, e.sequence)) as through
    from jsonb_to_recordset($1) as e("roomId" uuid, through bigint, sequence bigint)
    group by e."roomId"
), unmentioned as (
    delete from mentions t
    using filed f
    where t.room_id = f."roomId"
        and t.seq <= f.through
), unreacted as (
    delete from reactions r
    using messages m
    join filed f on m.room_id = f."roomId" and m.seq <= f.through
    where r.message_id = m.id
)
update messages m
set
    content = null,
    mentions = '{}',
    edited_at = null,
    pinned = false,
    deleted = true,
    archived = true
from filed f
where m.room_id = f."roomId"
    and m.seq <= f.through
    and not m.archived
