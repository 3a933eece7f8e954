insert into notices as n (user_id, sent_at, sequence)
select distinct on (e."userId") e."userId", e."time", e.sequence
from jsonb_to_recordset($1) as e("userId" uuid, "time" timestamptz, sequence bigint)
order by e."userId", e.sequence desc
on conflict (user_id) do update
set sent_at = excluded.sent_at, sequence = excluded.sequence
where n.sequence < excluded.sequence
