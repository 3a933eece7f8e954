delete from files f
using jsonb_to_recordset($1) as e("fileId" uuid, sequence bigint)
where f.id = e."fileId"
    and f.sequence < e.sequence
