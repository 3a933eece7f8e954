-- nameTokens is not in the log: it is added when the event is read, from the opened names.
insert into user_name_tokens (user_id, tokens)
select e."userId", array(select t.token::bigint from jsonb_array_elements_text(e."nameTokens") as t(token))
from jsonb_to_recordset($1) as e("userId" uuid, "nameTokens" jsonb)
on conflict (user_id) do nothing
