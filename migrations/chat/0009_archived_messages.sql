-- What was archived keeps its row, so that counts of what is unread and the ids of what was sent stay
-- true. It is like a deleted message, and no history shows it.
alter table messages add column archived boolean not null default false;
