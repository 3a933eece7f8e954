update rooms r
set status = 'restricted', version = e.sequence, updated_at = e."time"
from (
    select distinct on (s."roomId") s."roomId", s.sequence, s."time"
    from jsonb_to_recordset($1) as s("roomId" uuid, sequence bigint, "time" timestamptz)
    order by s."roomId", s.sequence desc
) e
where r.id = e."roomId"
    and r.version < e.sequence
