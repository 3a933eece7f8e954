insert into audit (sequence, "time", actor, subject, type, details)
select e.sequence, e."time", e.actor, e."userId", e.type, jsonb_build_object('from', e."from", 'to', e."to")
from jsonb_to_recordset($1) as e(
    sequence bigint, "time" timestamptz, actor text, "userId" uuid, type text, "from" text, "to" text
)
on conflict (sequence) do nothing
