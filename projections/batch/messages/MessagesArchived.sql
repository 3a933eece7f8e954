insert into archives (name, room_id, through, events, archived_at, sequence)
select distinct on (e.archive)
    e.archive, e."roomId", e.through, e.events, e."time", e.sequence
from jsonb_to_recordset($1) as e(
    archive text, "roomId" uuid, through bigint, events bigint, "time" timestamptz,
    sequence bigint
)
order by e.archive, e.sequence
on conflict (name) do nothing
