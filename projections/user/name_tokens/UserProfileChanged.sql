-- nameTokens is not in the log: it is added when the event is read, from the opened names.
update user_name_tokens t
set tokens = array(select n.token::bigint from jsonb_array_elements_text(e."nameTokens") as n(token))
from (
    select distinct on (c."userId") c."userId", c."nameTokens"
    from jsonb_to_recordset($1) as c("userId" uuid, "nameTokens" jsonb, sequence bigint)
    order by c."userId", c.sequence desc
) e
where t.user_id = e."userId"
