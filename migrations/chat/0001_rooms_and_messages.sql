-- Rooms and their members, from CHATROOM. version is the sequence of the room's newest event: it
-- guards the row against events that were applied before, and is the ETag that If-Match names.
create table rooms (
    id uuid primary key,
    name text not null,
    description text,
    kind text not null,
    visibility text not null,
    owner_id uuid not null,
    member_count integer not null,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);

create index rooms_public on rooms (created_at, id) where visibility = 'public';

create table members (
    room_id uuid not null,
    user_id uuid not null,
    role text not null,
    joined_sequence bigint not null,
    joined_at timestamptz not null,
    primary key (room_id, user_id)
);

create index members_of_user on members (user_id);
create index members_by_age on members (room_id, joined_sequence, user_id);

-- Messages, from MESSAGE. content stays sealed: it is {"key", "data"} and opens only in the event
-- that event_id names. number counts the messages of the room, sender_number those of the sender
-- in the room, so that what is unread is a difference and needs no counting.
create table messages (
    id uuid primary key,
    room_id uuid not null,
    seq bigint not null,
    number bigint not null,
    sender_number bigint not null,
    event_id uuid not null,
    sender_id uuid not null,
    sender_type text not null,
    content jsonb not null,
    content_type text not null,
    client_message_id text not null,
    reply_to uuid,
    mentions uuid[] not null,
    created_at timestamptz not null
);

create unique index messages_timeline on messages (room_id, seq);
create index messages_of_sender on messages (room_id, sender_id, seq);
create index messages_by_time on messages (room_id, created_at, seq);

create table mentions (
    user_id uuid not null,
    room_id uuid not null,
    seq bigint not null,
    primary key (user_id, room_id, seq)
);

create table read_markers (
    user_id uuid not null,
    room_id uuid not null,
    seq bigint not null,
    primary key (user_id, room_id)
);

-- How people look as members, from USER. Both fields stay sealed and open only in the event that
-- subject and event_id name.
create table people (
    id uuid primary key,
    subject text not null,
    event_id uuid not null,
    name jsonb not null,
    picture jsonb
);
