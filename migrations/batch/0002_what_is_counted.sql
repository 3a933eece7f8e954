-- What jobs go by: ids, times and kinds, nothing that anybody wrote. A day is one in Seoul.

-- From CHATROOM.
create table rooms (
    id uuid primary key,
    created_at timestamptz not null,
    deleted_at timestamptz
);

create index rooms_created on rooms (created_at);
create index rooms_deleted on rooms (deleted_at) where deleted_at is not null;

-- From USER. status_sequence and role_sequence are those of the events that wrote them.
create table people (
    id uuid primary key,
    role text not null,
    role_sequence bigint not null,
    status text not null,
    status_since timestamptz not null,
    status_sequence bigint not null,
    created_at timestamptz not null,
    deleted_at timestamptz
);

create index people_created on people (created_at);
create index people_by_status on people (status, status_since) where deleted_at is null;

-- From SESSION.
create table log_ins (
    user_id uuid not null,
    day date not null,
    primary key (day, user_id)
);

create table last_seen (
    user_id uuid primary key,
    seen_at timestamptz not null,
    sequence bigint not null
);

-- From MESSAGE.
create table sent_messages (
    id uuid primary key,
    room_id uuid not null,
    seq bigint not null,
    sender_id uuid not null,
    sender_type text not null,
    day date not null,
    sent_at timestamptz not null
);

create index sent_messages_by_day on sent_messages (day);
create index sent_messages_of_sender on sent_messages (sender_id, sent_at);
create index sent_messages_of_room on sent_messages (room_id, seq);

create table purged_rooms (
    room_id uuid primary key,
    through bigint not null,
    sequence bigint not null
);

-- The files of old messages, in the order in which they came.
create table archives (
    name text primary key,
    room_id uuid not null,
    through bigint not null,
    events bigint not null,
    archived_at timestamptz not null,
    sequence bigint not null
);

create index archives_of_room on archives (room_id, through);
create index archives_by_age on archives (sequence);
