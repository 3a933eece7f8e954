update runs r
set
    figures = e.figures,
    version = e.sequence
from (
    select distinct on (e."runId") e."runId", e.figures, e.sequence
    from jsonb_to_recordset($1) as e("runId" uuid, figures jsonb, sequence bigint)
    order by e."runId", e.sequence desc
) e
where r.id = e."runId"
    and r.state = 'running'
    and r.version < e.sequence
