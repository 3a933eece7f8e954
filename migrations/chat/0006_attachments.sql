-- The files of a message as MessageSent has them. Their names stay sealed and open in that event,
-- also after an edit.
alter table messages add column attachments jsonb not null default '[]';
