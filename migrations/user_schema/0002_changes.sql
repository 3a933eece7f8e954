-- The personal data of a person lies in one event, whose type is part of what it opens with. Of a
-- deleted person id, status, role and times stay, and nothing else.
alter table users
    add column profile_event_type text not null default 'UserCreated',
    add column coach_check boolean not null default false,
    add column deleted_at timestamptz,
    alter column email_key drop not null,
    alter column email drop not null,
    alter column first_name drop not null,
    alter column last_name drop not null,
    alter column name drop not null;
