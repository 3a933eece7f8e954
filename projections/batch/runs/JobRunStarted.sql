insert into runs (
    id, job, state, dry_run, date, figures, started_sequence, version, started_at
)
select distinct on (e."runId")
    e."runId", e.job, 'running', e."dryRun", e.date, '{}', e.sequence, e.sequence, e."time"
from jsonb_to_recordset($1) as e(
    "runId" uuid, job text, "dryRun" boolean, date date, sequence bigint, "time" timestamptz
)
order by e."runId", e.sequence
on conflict (id) do nothing
