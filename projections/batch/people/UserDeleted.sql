update people p
set deleted_at = e."time"
from (
    select distinct on (e."userId") e."userId", e."time"
    from jsonb_to_recordset($1) as e("userId" uuid, sequence bigint, "time" timestamptz)
    order by e."userId", e.sequence
) e
where p.id = e."userId"
    and p.deleted_at is null
