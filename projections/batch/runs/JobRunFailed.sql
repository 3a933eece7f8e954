-- A run ends once.
update runs r
set
    state = 'failed',
    error = e.error,
    figures = e.figures,
    finished_at = e."time",
    version = e.sequence
from (
    select distinct on (e."runId") e."runId", e.error, e.figures, e.sequence, e."time"
    from jsonb_to_recordset($1) as e(
        "runId" uuid, error text, figures jsonb, sequence bigint, "time" timestamptz
    )
    join runs r on r.id = e."runId" and r.version < e.sequence
    order by e."runId", e.sequence
) e
where r.id = e."runId"
    and r.state = 'running'
