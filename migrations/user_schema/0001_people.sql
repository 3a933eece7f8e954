-- Personal data stays sealed: each field is {"key", "data"} and opens only in the event that
-- profile_event_id names. version is the sequence of the newest event applied to the row.
create table users (
    id uuid primary key,
    email_key text not null,
    profile_event_id uuid not null,
    email jsonb not null,
    first_name jsonb not null,
    last_name jsonb not null,
    name jsonb not null,
    picture jsonb,
    info jsonb,
    status text not null,
    role text not null,
    created_sequence bigint not null,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);

create index users_email_key on users (email_key);
create index users_created on users (created_sequence);

-- Keyed hashes of pieces of names: they say who may fit a search, and nothing else.
create table user_name_tokens (
    user_id uuid primary key,
    tokens bigint[] not null
);

create index user_name_tokens_tokens on user_name_tokens using gin (tokens);

create table user_last_connections (
    user_id uuid primary key,
    last_conn_time timestamptz not null,
    sequence bigint not null
);
