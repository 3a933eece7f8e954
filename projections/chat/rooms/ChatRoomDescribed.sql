update rooms r
set description = e.description, version = e.sequence, updated_at = e."time"
from (
    select distinct on (d."roomId") d."roomId", d.description, d.sequence, d."time"
    from jsonb_to_recordset($1) as d(
        "roomId" uuid, description text, sequence bigint, "time" timestamptz
    )
    order by d."roomId", d.sequence desc
) e
where r.id = e."roomId"
    and r.version < e.sequence
