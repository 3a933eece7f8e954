update people p
set
    status = e."to",
    status_since = e."time",
    status_sequence = e.sequence
from (
    select distinct on (e."userId") e."userId", e."to", e."time", e.sequence
    from jsonb_to_recordset($1) as e(
        "userId" uuid, "to" text, "time" timestamptz, sequence bigint
    )
    order by e."userId", e.sequence desc
) e
where p.id = e."userId"
    and p.status_sequence < e.sequence
