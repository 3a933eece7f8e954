update people p
set subject = e.subject, event_id = e."eventId", name = e.name, picture = e.picture
from (
    select distinct on (c."userId") c."userId", c.subject, c."eventId", c.name, c.picture
    from jsonb_to_recordset($1) as c(
        "userId" uuid, subject text, "eventId" uuid, name jsonb, picture jsonb, sequence bigint
    )
    order by c."userId", c.sequence desc
) e
where p.id = e."userId"
