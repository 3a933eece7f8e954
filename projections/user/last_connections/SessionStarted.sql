insert into user_last_connections as l (user_id, last_conn_time, sequence)
select distinct on (e."userId") e."userId", e."startedAt", e.sequence
from jsonb_to_recordset($1) as e("userId" uuid, "startedAt" timestamptz, sequence bigint)
order by e."userId", e.sequence desc
on conflict (user_id) do update
set last_conn_time = excluded.last_conn_time, sequence = excluded.sequence
where l.sequence < excluded.sequence
