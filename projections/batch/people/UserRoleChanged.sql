update people p
set
    role = e."to",
    role_sequence = e.sequence
from (
    select distinct on (e."userId") e."userId", e."to", e.sequence
    from jsonb_to_recordset($1) as e("userId" uuid, "to" text, sequence bigint)
    order by e."userId", e.sequence desc
) e
where p.id = e."userId"
    and p.role_sequence < e.sequence
