-- A rebuild makes no tokens of what it cannot open, so those that were made before the key went go
-- here. What lies behind this event was made without the key.
update message_tokens t
set
    tokens = '{}',
    key_owner = null
from (
    select e."roomId", e."userId", max(e.sequence) as sequence
    from jsonb_to_recordset($1) as e("roomId" uuid, "userId" uuid, sequence bigint)
    group by e."roomId", e."userId"
) e
where t.key_owner = e."userId"
    and t.room_id = e."roomId"
    and greatest(t.seq, t.content_seq) < e.sequence
