alter table rooms
    add column settings jsonb not null default '{}',
    add column is_archived boolean not null default false;

-- When something last happened, so that who comes back after a while is told of those rooms only.
alter table timelines add column changed_at timestamptz not null default '-infinity';

update timelines t
set changed_at = m.created_at
from messages m
where m.room_id = t.room_id
    and m.seq = t.head;

alter table read_markers add column moved_at timestamptz not null default '-infinity';
