-- Nobody is in the room any more: whatever was said before goes, wherever the purge began.
delete from message_tokens t
using (
    select e."roomId", max(e.sequence) as sequence
    from jsonb_to_recordset($1) as e("roomId" uuid, sequence bigint)
    group by e."roomId"
) e
where t.room_id = e."roomId"
    and t.seq < e.sequence
