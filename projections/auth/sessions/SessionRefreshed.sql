update sessions s
set last_seen_at = e."refreshedAt", expires_at = e."expiresAt", version = e.sequence
from (
    select distinct on (r."sessionId") r."sessionId", r."refreshedAt", r."expiresAt", r.sequence
    from jsonb_to_recordset($1) as r(
        "sessionId" uuid, "refreshedAt" timestamptz, "expiresAt" timestamptz, sequence bigint
    )
    order by r."sessionId", r.sequence desc
) e
where s.id = e."sessionId"
    and s.version < e.sequence
