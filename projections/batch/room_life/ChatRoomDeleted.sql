update rooms r
set deleted_at = e."time"
from (
    select distinct on (e."roomId") e."roomId", e."time"
    from jsonb_to_recordset($1) as e("roomId" uuid, sequence bigint, "time" timestamptz)
    order by e."roomId", e.sequence
) e
where r.id = e."roomId"
    and r.deleted_at is null
