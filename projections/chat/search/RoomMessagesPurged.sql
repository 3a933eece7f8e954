delete from message_tokens t
using (
    select e."roomId", max(least(e.through, e.sequence)) as through
    from jsonb_to_recordset($1) as e("roomId" uuid, through bigint, sequence bigint)
    group by e."roomId"
) e
where t.room_id = e."roomId"
    and t.seq <= e.through
