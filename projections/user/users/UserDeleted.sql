update users u
set
    email_key = null,
    email = null,
    first_name = null,
    last_name = null,
    name = null,
    picture = null,
    info = null,
    coach_check = false,
    deleted_at = e."time",
    version = e.sequence,
    updated_at = e."time"
from (
    select distinct on (c."userId") c."userId", c.sequence, c."time"
    from jsonb_to_recordset($1) as c("userId" uuid, sequence bigint, "time" timestamptz)
    order by c."userId", c.sequence desc
) e
where u.id = e."userId"
    and u.version < e.sequence
