-- Whom it keeps out only the log knows: here a member is gone, if they were one.
with removed as (
    select e."roomId", e."userId", e.sequence, e."time"
    from jsonb_to_recordset($1) as e(
        "roomId" uuid, "userId" uuid, sequence bigint, "time" timestamptz
    )
    join rooms r on r.id = e."roomId" and r.version < e.sequence
), gone as (
    delete from members m
    using removed d
    where m.room_id = d."roomId"
        and m.user_id = d."userId"
    returning m.room_id
), newest as (
    select distinct on (d."roomId") d."roomId", d.sequence, d."time"
    from removed d
    order by d."roomId", d.sequence desc
)
update rooms r
set
    member_count = r.member_count - (select count(*) from gone g where g.room_id = r.id),
    version = n.sequence,
    updated_at = n."time"
from newest n
where r.id = n."roomId"
