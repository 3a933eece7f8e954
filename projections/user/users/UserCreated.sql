insert into users (
    id, email_key, profile_event_id,
    email, first_name, last_name, name, picture, info,
    status, role, created_sequence, version, created_at, updated_at
)
select
    e."userId", e."emailKey", e."eventId",
    e.email, e."firstName", e."lastName", e.name, e.picture, e.info,
    'ACTIVE', e.role, e.sequence, e.sequence, e."time", e."time"
from jsonb_to_recordset($1) as e(
    "userId" uuid, "emailKey" text, "eventId" uuid,
    email jsonb, "firstName" jsonb, "lastName" jsonb, name jsonb, picture jsonb, info jsonb,
    role text, sequence bigint, "time" timestamptz
)
on conflict (id) do nothing
