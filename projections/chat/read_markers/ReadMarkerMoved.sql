insert into read_markers as m (user_id, room_id, seq, moved_at)
select e."userId", e."roomId", max(e.seq), max(e."time")
from jsonb_to_recordset($1) as e("userId" uuid, "roomId" uuid, seq bigint, "time" timestamptz)
group by e."userId", e."roomId"
on conflict (user_id, room_id) do update
set seq = greatest(m.seq, excluded.seq), moved_at = greatest(m.moved_at, excluded.moved_at)
