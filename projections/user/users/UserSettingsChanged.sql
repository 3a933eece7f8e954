update users u
set coach_check = e."coachCheck", version = e.sequence, updated_at = e."time"
from (
    select distinct on (c."userId") c."userId", c."coachCheck", c.sequence, c."time"
    from jsonb_to_recordset($1) as c(
        "userId" uuid, "coachCheck" boolean, sequence bigint, "time" timestamptz
    )
    order by c."userId", c.sequence desc
) e
where u.id = e."userId"
    and u.version < e.sequence
