update users u
set version = e.sequence, updated_at = e."time"
from (
    select distinct on (c."userId") c."userId", c.sequence, c."time"
    from jsonb_to_recordset($1) as c("userId" uuid, sequence bigint, "time" timestamptz)
    order by c."userId", c.sequence desc
) e
where u.id = e."userId"
    and u.version < e.sequence
