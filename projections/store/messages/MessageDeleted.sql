with gone as (
    select distinct m.id
    from jsonb_to_recordset($1) as e("messageId" uuid, "roomId" uuid, sequence bigint)
    join messages m on m.id = e."messageId" and m.room_id = e."roomId"
    where e.sequence > m.seq
), unposted as (
    delete from postings p
    using gone g
    where p.message_id = g.id
)
update messages m
set edit_seq = null, deleted = true
from gone g
where m.id = g.id
