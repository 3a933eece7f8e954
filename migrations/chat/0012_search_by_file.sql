-- Whether the message took files along, so that a search for those does not open the others. Few do.
alter table message_tokens add column has_file boolean not null default false;

update message_tokens t
set has_file = true
from messages m
where m.id = t.message_id
    and m.attachments <> '[]'
    and not m.deleted;

create index message_tokens_with_file on message_tokens (room_id, seq) where has_file;
