insert into last_seen as l (user_id, seen_at, sequence)
select distinct on (e."userId") e."userId", e."refreshedAt", e.sequence
from jsonb_to_recordset($1) as e("userId" uuid, "refreshedAt" timestamptz, sequence bigint)
order by e."userId", e.sequence desc
on conflict (user_id) do update
set seen_at = excluded.seen_at, sequence = excluded.sequence
where l.sequence < excluded.sequence
