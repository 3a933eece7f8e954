insert into bookmarks as b (
    id, user_id, message_id, room_id, sender_id, seq, note, event_id, sequence, created_at
)
select distinct on (e."bookmarkId")
    e."bookmarkId", e."userId", e."messageId", e."roomId", e."senderId", e.seq, e.note, e."eventId",
    e.sequence, e."time"
from jsonb_to_recordset($1) as e(
    "bookmarkId" uuid, "userId" uuid, "messageId" uuid, "roomId" uuid, "senderId" uuid, seq bigint,
    note jsonb, "eventId" uuid, sequence bigint, "time" timestamptz
)
order by e."bookmarkId", e.sequence desc
on conflict (id) do update
set
    user_id = excluded.user_id,
    message_id = excluded.message_id,
    room_id = excluded.room_id,
    sender_id = excluded.sender_id,
    seq = excluded.seq,
    note = excluded.note,
    event_id = excluded.event_id,
    sequence = excluded.sequence,
    created_at = excluded.created_at
where b.sequence < excluded.sequence
