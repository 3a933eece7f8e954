-- What messages are found by, from MESSAGE: keyed hashes of their words and syllables, each hashed
-- together with its room, so that equal words in two rooms look different. Nobody reads them back.
create table message_tokens (
    message_id uuid primary key,
    room_id uuid not null,
    seq bigint not null,
    sender_id uuid not null,
    tokens bigint[] not null
);

create index message_tokens_by_token on message_tokens using gin (tokens);
