-- device stays sealed and opens only in the event that started_event_id names.
-- version is the sequence of the newest event applied to the row.
create table sessions (
    id uuid primary key,
    user_id uuid not null,
    device jsonb,
    started_event_id uuid not null,
    started_sequence bigint not null,
    version bigint not null,
    started_at timestamptz not null,
    last_seen_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    revoked_reason text
);

create index sessions_of_user on sessions (user_id, started_sequence);
