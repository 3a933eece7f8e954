-- As after a deletion: the row stays, so that nothing brings the words back.
update message_tokens t
set
    tokens = '{}',
    key_owner = null,
    has_file = false,
    content_seq = 9223372036854775807
from (
    select e."roomId", max(least(e.through, e.sequence)) as through
    from jsonb_to_recordset($1) as e("roomId" uuid, through bigint, sequence bigint)
    group by e."roomId"
) e
where t.room_id = e."roomId"
    and t.seq <= e.through
