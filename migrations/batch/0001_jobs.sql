-- Runs of jobs, from JOB. version is the sequence of the newest event applied to the row.
create table runs (
    id uuid primary key,
    job text not null,
    state text not null,
    dry_run boolean not null,
    date date not null,
    figures jsonb not null,
    error text,
    started_sequence bigint not null,
    version bigint not null,
    started_at timestamptz not null,
    finished_at timestamptz
);

create index runs_by_age on runs (started_sequence);
create index runs_of_job on runs (job, started_sequence);

-- The newest report of each day, from JOB, as the log has it.
create table reports (
    date date primary key,
    report jsonb not null,
    sequence bigint not null
);

-- Who was told last when that the account ends if nobody uses it, from JOB.
create table notices (
    user_id uuid primary key,
    sent_at timestamptz not null,
    sequence bigint not null
);
