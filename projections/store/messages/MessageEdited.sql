-- The last edit counts; of a deleted message none does.
update messages m
set edit_seq = e.sequence
from (
    select e."messageId", e."roomId", max(e.sequence) as sequence
    from jsonb_to_recordset($1) as e("messageId" uuid, "roomId" uuid, sequence bigint)
    group by e."messageId", e."roomId"
) e
where m.id = e."messageId"
    and m.room_id = e."roomId"
    and e.sequence > greatest(m.seq, m.edit_seq)
    and not m.deleted
