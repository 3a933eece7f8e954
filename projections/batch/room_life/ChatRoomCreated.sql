insert into rooms (id, created_at)
select distinct on (e."roomId") e."roomId", e."time"
from jsonb_to_recordset($1) as e("roomId" uuid, sequence bigint, "time" timestamptz)
order by e."roomId", e.sequence
on conflict (id) do nothing
