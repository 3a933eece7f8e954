update users u
set
    profile_event_id = e."eventId",
    profile_event_type = 'UserProfileChanged',
    email = e.email,
    first_name = e."firstName",
    last_name = e."lastName",
    name = e.name,
    picture = e.picture,
    info = e.info,
    version = e.sequence,
    updated_at = e."time"
from (
    select distinct on (c."userId")
        c."userId", c."eventId",
        c.email, c."firstName", c."lastName", c.name, c.picture, c.info,
        c.sequence, c."time"
    from jsonb_to_recordset($1) as c(
        "userId" uuid, "eventId" uuid,
        email jsonb, "firstName" jsonb, "lastName" jsonb, name jsonb, picture jsonb, info jsonb,
        sequence bigint, "time" timestamptz
    )
    order by c."userId", c.sequence desc
) e
where u.id = e."userId"
    and u.version < e.sequence
