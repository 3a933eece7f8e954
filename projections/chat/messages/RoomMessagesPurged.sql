-- Nobody is in the room any more: nothing of it has to stay, wherever the purge began.
with purged as (
    select e."roomId", max(e.sequence) as sequence
    from jsonb_to_recordset($1) as e("roomId" uuid, sequence bigint)
    group by e."roomId"
), unmentioned as (
    delete from mentions t
    using purged p
    where t.room_id = p."roomId"
        and t.seq < p.sequence
), unreacted as (
    delete from reactions r
    using messages m
    join purged p on m.room_id = p."roomId" and m.seq < p.sequence
    where r.message_id = m.id
)
delete from messages m
using purged p
where m.room_id = p."roomId"
    and m.seq < p.sequence
