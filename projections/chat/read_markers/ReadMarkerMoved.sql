insert into read_markers as m (user_id, room_id, seq)
select e."userId", e."roomId", max(e.seq)
from jsonb_to_recordset($1) as e("userId" uuid, "roomId" uuid, seq bigint)
group by e."userId", e."roomId"
on conflict (user_id, room_id) do update
set seq = excluded.seq
where m.seq < excluded.seq
