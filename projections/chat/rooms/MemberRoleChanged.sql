with changed as (
    select e."roomId", e."userId", e.role, e.sequence, e."time"
    from jsonb_to_recordset($1) as e(
        "roomId" uuid, "userId" uuid, role text, sequence bigint, "time" timestamptz
    )
    join rooms r on r.id = e."roomId" and r.version < e.sequence
), raised as (
    update members m
    set role = c.role
    from (
        select distinct on (c."roomId", c."userId") c."roomId", c."userId", c.role
        from changed c
        order by c."roomId", c."userId", c.sequence desc
    ) c
    where m.room_id = c."roomId"
        and m.user_id = c."userId"
), owners as (
    select distinct on (c."roomId") c."roomId", c."userId"
    from changed c
    where c.role = 'owner'
    order by c."roomId", c.sequence desc
), newest as (
    select distinct on (c."roomId") c."roomId", c.sequence, c."time"
    from changed c
    order by c."roomId", c.sequence desc
)
update rooms r
set
    owner_id = coalesce(o."userId", r.owner_id),
    version = n.sequence,
    updated_at = n."time"
from newest n
left join owners o on o."roomId" = n."roomId"
where r.id = n."roomId"
