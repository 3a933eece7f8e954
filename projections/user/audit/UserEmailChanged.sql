insert into audit (sequence, "time", actor, subject, type, details)
select e.sequence, e."time", e.actor, e."userId", e.type, '{}'::jsonb
from jsonb_to_recordset($1) as e(
    sequence bigint, "time" timestamptz, actor text, "userId" uuid, type text
)
on conflict (sequence) do nothing
