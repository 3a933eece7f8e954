with started as (
    select e."userId", e."startedAt", e.sequence
    from jsonb_to_recordset($1) as e("userId" uuid, "startedAt" timestamptz, sequence bigint)
), logged_in as (
    insert into log_ins (user_id, day)
    select distinct e."userId", (e."startedAt" at time zone 'Asia/Seoul')::date
    from started e
    on conflict (day, user_id) do nothing
)
insert into last_seen as l (user_id, seen_at, sequence)
select distinct on (e."userId") e."userId", e."startedAt", e.sequence
from started e
order by e."userId", e.sequence desc
on conflict (user_id) do update
set seen_at = excluded.seen_at, sequence = excluded.sequence
where l.sequence < excluded.sequence
