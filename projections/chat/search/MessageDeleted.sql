-- The row stays, so that neither an edit nor the message once more brings its words back: no
-- sequence is greater than that of a deletion.
update message_tokens t
set
    tokens = '{}',
    key_owner = null,
    has_file = false,
    content_seq = 9223372036854775807
from (
    select e."messageId", e."roomId", max(e.sequence) as sequence
    from jsonb_to_recordset($1) as e("messageId" uuid, "roomId" uuid, sequence bigint)
    group by e."messageId", e."roomId"
) e
where t.message_id = e."messageId"
    and t.room_id = e."roomId"
    and e.sequence > t.seq
