update sessions s
set revoked_at = e."time", revoked_reason = e.reason, version = e.sequence
from (
    select distinct on (r."sessionId") r."sessionId", r."time", r.reason, r.sequence
    from jsonb_to_recordset($1) as r(
        "sessionId" uuid, "time" timestamptz, reason text, sequence bigint
    )
    order by r."sessionId", r.sequence desc
) e
where s.id = e."sessionId"
    and s.version < e.sequence
