-- The last edit counts; of a deleted message none does.
with edited as (
    select e."messageId", e."roomId", e.sequence, e."eventId", e.content, e.mentions, e."time"
    from jsonb_to_recordset($1) as e(
        "messageId" uuid, "roomId" uuid, sequence bigint, "eventId" uuid, content jsonb,
        mentions jsonb, "time" timestamptz
    )
), timeline as (
    insert into timelines as t (room_id, head, changed_at)
    select e."roomId", max(e.sequence), max(e."time")
    from edited e
    group by e."roomId"
    on conflict (room_id) do update
    set head = excluded.head, changed_at = greatest(t.changed_at, excluded.changed_at)
    where t.head < excluded.head
), effective as (
    select e.*
    from edited e
    join messages m on m.id = e."messageId" and m.room_id = e."roomId"
    where e.sequence > greatest(m.seq, m.content_seq)
        and not m.deleted
), named as (
    select distinct on (e."messageId")
        e."messageId",
        array(select t.user_id::uuid from jsonb_array_elements_text(e.mentions) as t(user_id)) as users
    from effective e
    where jsonb_typeof(e.mentions) = 'array'
    order by e."messageId", e.sequence desc
), unmentioned as (
    delete from mentions t
    using named n
    join messages m on m.id = n."messageId"
    where t.user_id = any(m.mentions)
        and t.user_id <> all(n.users)
        and t.room_id = m.room_id
        and t.seq = m.seq
), mentioned as (
    insert into mentions (user_id, room_id, seq)
    select t.user_id, m.room_id, m.seq
    from named n
    join messages m on m.id = n."messageId"
    cross join unnest(n.users) as t(user_id)
    where t.user_id <> m.sender_id
    on conflict (user_id, room_id, seq) do nothing
)
update messages m
set
    content = e.content,
    content_seq = e.sequence,
    event_id = e."eventId",
    edited_at = e."time",
    mentions = coalesce(e.users, m.mentions)
from (
    select distinct on (e."messageId")
        e."messageId", e.content, e.sequence, e."eventId", e."time", n.users
    from effective e
    left join named n on n."messageId" = e."messageId"
    order by e."messageId", e.sequence desc
) e
where m.id = e."messageId"
