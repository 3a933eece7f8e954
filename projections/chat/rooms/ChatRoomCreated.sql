with created as (
    select
        e."roomId", e.name, e.description, e.kind, e.visibility, e."ownerId", e."botId", e.members,
        e.sequence, e."time"
    from jsonb_to_recordset($1) as e(
        "roomId" uuid, name text, description text, kind text, visibility text, "ownerId" uuid,
        "botId" uuid, members jsonb, sequence bigint, "time" timestamptz
    )
    where not exists (select from rooms r where r.id = e."roomId")
), first_members as (
    insert into members (room_id, user_id, role, joined_sequence, joined_at)
    select c."roomId", m."userId", m.role, c.sequence, c."time"
    from created c
    cross join jsonb_to_recordset(c.members) as m("userId" uuid, role text)
)
insert into rooms (
    id, name, description, kind, visibility, owner_id, bot_id, member_count, version, created_at,
    updated_at
)
select
    c."roomId", c.name, c.description, c.kind, c.visibility, c."ownerId", c."botId",
    jsonb_array_length(c.members), c.sequence, c."time", c."time"
from created c
