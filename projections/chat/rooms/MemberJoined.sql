with joined as (
    select e."roomId", e."userId", e.role, e.sequence, e."time"
    from jsonb_to_recordset($1) as e(
        "roomId" uuid, "userId" uuid, role text, sequence bigint, "time" timestamptz
    )
    join rooms r on r.id = e."roomId" and r.version < e.sequence
), newcomers as (
    insert into members (room_id, user_id, role, joined_sequence, joined_at)
    select distinct on (j."roomId", j."userId")
        j."roomId", j."userId", j.role, j.sequence, j."time"
    from joined j
    order by j."roomId", j."userId", j.sequence
    on conflict (room_id, user_id) do nothing
    returning room_id
), newest as (
    select distinct on (j."roomId") j."roomId", j.sequence, j."time"
    from joined j
    order by j."roomId", j.sequence desc
)
update rooms r
set
    member_count = r.member_count + (select count(*) from newcomers c where c.room_id = r.id),
    version = n.sequence,
    updated_at = n."time"
from newest n
where r.id = n."roomId"
