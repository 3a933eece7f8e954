-- Whose key the text was sealed with that the tokens were made from: its author's, or of what a bot
-- said, the key of whom it spoke to. With the key the tokens go too. None where there are no tokens
-- any more.
alter table message_tokens add column key_owner uuid;

update message_tokens t
set key_owner = (m.content ->> 'key')::uuid
from messages m
where m.id = t.message_id
    and m.content is not null;

create index message_tokens_by_key_owner on message_tokens (key_owner, room_id)
where key_owner is not null;
