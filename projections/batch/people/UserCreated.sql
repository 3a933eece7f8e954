insert into people (
    id, role, role_sequence, status, status_since, status_sequence, created_at
)
select distinct on (e."userId")
    e."userId", e.role, e.sequence, 'ACTIVE', e."time", e.sequence, e."time"
from jsonb_to_recordset($1) as e(
    "userId" uuid, role text, sequence bigint, "time" timestamptz
)
order by e."userId", e.sequence
on conflict (id) do nothing
