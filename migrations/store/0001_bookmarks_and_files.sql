-- Bookmarks, from STORE. note stays sealed and opens only in the event that event_id names.
create table bookmarks (
    id uuid primary key,
    user_id uuid not null,
    message_id uuid not null,
    room_id uuid not null,
    sender_id uuid not null,
    seq bigint not null,
    note jsonb,
    event_id uuid not null,
    sequence bigint not null,
    created_at timestamptz not null
);

create index bookmarks_of_user on bookmarks (user_id, sequence);

-- Files that were not removed, from STORE. Their names are in the log alone.
create table files (
    id uuid primary key,
    uploader_id uuid not null,
    blob_id uuid not null,
    size bigint not null,
    sequence bigint not null,
    stored_at timestamptz not null
);

create index files_of_uploader on files (uploader_id);
create index files_by_age on files (stored_at, id);
create index files_by_blob on files (blob_id);

-- Where each message lies, from MESSAGE, and which event says what it is now. No text.
create table messages (
    id uuid primary key,
    room_id uuid not null,
    sender_id uuid not null,
    seq bigint not null,
    edit_seq bigint,
    deleted boolean not null default false
);

-- Which files are in messages that were not deleted.
create table postings (
    file_id uuid not null,
    message_id uuid not null,
    room_id uuid not null,
    primary key (file_id, message_id)
);

create index postings_of_message on postings (message_id);
