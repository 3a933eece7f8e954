insert into sessions (
    id, user_id, device, started_event_id, started_sequence, version,
    started_at, last_seen_at, expires_at
)
select
    e."sessionId", e."userId", e.device, e."eventId", e.sequence, e.sequence,
    e."startedAt", e."startedAt", e."expiresAt"
from jsonb_to_recordset($1) as e(
    "sessionId" uuid, "userId" uuid, device jsonb, "eventId" uuid, sequence bigint,
    "startedAt" timestamptz, "expiresAt" timestamptz
)
on conflict (id) do nothing
