alter table rooms add column bot_id uuid;
