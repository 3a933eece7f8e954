-- For words that many messages hold: the newest of them are found by walking back through the room,
-- where the index of tokens would give all of them to be sorted. Which of the two is used is
-- PostgreSQL's choice, by how common the tokens are.
create index message_tokens_by_room on message_tokens (room_id, seq);
