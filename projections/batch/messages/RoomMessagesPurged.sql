-- What was counted stays counted: only ids and times are here.
insert into purged_rooms as p (room_id, through, sequence)
select distinct on (e."roomId") e."roomId", e.through, e.sequence
from jsonb_to_recordset($1) as e("roomId" uuid, through bigint, sequence bigint)
order by e."roomId", e.sequence desc
on conflict (room_id) do update
set through = excluded.through, sequence = excluded.sequence
where p.sequence < excluded.sequence
