-- Of a message that lies in the log twice the first counts.
insert into sent_messages (id, room_id, seq, sender_id, sender_type, day, sent_at)
select distinct on (e."messageId")
    e."messageId", e."roomId", e.sequence, e."senderId", e."senderType",
    (e."time" at time zone 'Asia/Seoul')::date, e."time"
from jsonb_to_recordset($1) as e(
    "messageId" uuid, "roomId" uuid, sequence bigint, "senderId" uuid, "senderType" text,
    "time" timestamptz
)
order by e."messageId", e.sequence
on conflict (id) do nothing
