insert into people (id, subject, event_id, name, picture)
select e."userId", e.subject, e."eventId", e.name, e.picture
from jsonb_to_recordset($1) as e(
    "userId" uuid, subject text, "eventId" uuid, name jsonb, picture jsonb
)
on conflict (id) do nothing
