update users u
set status = e."to", version = e.sequence, updated_at = e."time"
from (
    select distinct on (c."userId") c."userId", c."to", c.sequence, c."time"
    from jsonb_to_recordset($1) as c("userId" uuid, "to" text, sequence bigint, "time" timestamptz)
    order by c."userId", c.sequence desc
) e
where u.id = e."userId"
    and u.version < e.sequence
