delete from user_name_tokens t
using jsonb_to_recordset($1) as e("userId" uuid)
where t.user_id = e."userId"
