update rooms r
set version = e.sequence, updated_at = e."time"
from (
    select distinct on (n."roomId") n."roomId", n.sequence, n."time"
    from jsonb_to_recordset($1) as n(
        "roomId" uuid, sequence bigint, "time" timestamptz
    )
    order by n."roomId", n.sequence desc
) e
where r.id = e."roomId"
    and r.version < e.sequence
