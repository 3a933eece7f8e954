delete from people t
using jsonb_to_recordset($1) as e("userId" uuid)
where t.id = e."userId"
