-- Who did what to whose account, from USER. details says from what to what, and nothing personal.
create table audit (
    sequence bigint primary key,
    "time" timestamptz not null,
    actor text,
    subject uuid not null,
    type text not null,
    details jsonb not null
);

create index audit_of_subject on audit (subject, sequence);
create index audit_of_actor on audit (actor, sequence);
