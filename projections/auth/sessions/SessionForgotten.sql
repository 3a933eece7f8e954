delete from sessions s
using (
    select r."sessionId", max(r.sequence) as sequence
    from jsonb_to_recordset($1) as r("sessionId" uuid, sequence bigint)
    group by r."sessionId"
) e
where s.id = e."sessionId"
    and s.version < e.sequence
