-- searchTokens is not in the log: it is added when the event is read, from the opened text.
-- Of a message that lies in the log twice the first counts.
insert into message_tokens (message_id, room_id, seq, sender_id, tokens, key_owner, has_file)
select distinct on (e."messageId")
    e."messageId", e."roomId", e.sequence, e."senderId", e."searchTokens",
    (e.content ->> 'key')::uuid, coalesce(e.attachments <> '[]', false)
from jsonb_to_recordset($1) as e(
    "messageId" uuid, "roomId" uuid, sequence bigint, "senderId" uuid, "searchTokens" bigint[],
    content jsonb, attachments jsonb
)
order by e."messageId", e.sequence
on conflict (message_id) do nothing
