-- What became of messages, from MESSAGE. What a statement changes it guards with the sequence that
-- wrote it, so that events that were applied before change nothing. A deleted message keeps its
-- place and its author, and nothing that anybody wrote.
--
-- An edited message opens in MessageEdited, at edited_at, one that was not in MessageSent.
alter table messages
    alter column content drop not null,
    add column content_seq bigint not null default 0,
    add column edited_at timestamptz,
    add column pinned boolean not null default false,
    add column pin_seq bigint not null default 0,
    add column deleted boolean not null default false;

-- Few, so that taking them off what is unread stays cheap.
create index messages_deleted on messages (room_id, seq, sender_id) where deleted;

create table reactions (
    message_id uuid not null,
    emoji text not null,
    user_id uuid not null,
    seq bigint not null,
    primary key (message_id, emoji, user_id)
);

-- How far each room's timeline has been applied: the sequence of its newest event of any type.
create table timelines (
    room_id uuid primary key,
    head bigint not null
);

insert into timelines (room_id, head)
select room_id, max(seq)
from messages
group by room_id;

-- The event that wrote the tokens. Behind a deletion none does.
alter table message_tokens add column content_seq bigint not null default 0;
