-- What was said in it stays until it is cleaned up; nobody is in the room to read it.
with deleted as (
    select e."roomId", max(e.sequence) as sequence
    from jsonb_to_recordset($1) as e("roomId" uuid, sequence bigint)
    group by e."roomId"
), gone as (
    delete from rooms r
    using deleted d
    where r.id = d."roomId"
        and r.version < d.sequence
    returning r.id
)
delete from members m
using gone g
where m.room_id = g.id
