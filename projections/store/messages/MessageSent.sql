-- Of a message that lies in the log twice the first counts. `not exists` would be a join that reads
-- all messages, for the planner knows nothing of the batch.
with sent as (
    select distinct on (e."messageId")
        e."messageId", e."roomId", e."senderId", e.sequence, e.attachments
    from jsonb_to_recordset($1) as e(
        "messageId" uuid, "roomId" uuid, "senderId" uuid, sequence bigint, attachments jsonb
    )
    where (select m.id from messages m where m.id = e."messageId") is null
    order by e."messageId", e.sequence
), posted as (
    insert into postings (file_id, message_id, room_id)
    select (a.file ->> 'fileId')::uuid, s."messageId", s."roomId"
    from sent s
    cross join jsonb_array_elements(coalesce(s.attachments, '[]')) as a(file)
    on conflict (file_id, message_id) do nothing
)
insert into messages (id, room_id, sender_id, seq)
select s."messageId", s."roomId", s."senderId", s.sequence
from sent s
