-- The last edit counts; of a deleted message none does.
update message_tokens t
set
    tokens = e."searchTokens",
    key_owner = (e.content ->> 'key')::uuid,
    content_seq = e.sequence
from (
    select distinct on (e."messageId")
        e."messageId", e."roomId", e.sequence, e."searchTokens", e.content
    from jsonb_to_recordset($1) as e(
        "messageId" uuid, "roomId" uuid, sequence bigint, "searchTokens" bigint[], content jsonb
    )
    order by e."messageId", e.sequence desc
) e
where t.message_id = e."messageId"
    and t.room_id = e."roomId"
    and e.sequence > greatest(t.seq, t.content_seq)
