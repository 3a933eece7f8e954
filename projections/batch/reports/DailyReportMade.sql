insert into reports as r (date, report, sequence)
select distinct on (e.report ->> 'date') (e.report ->> 'date')::date, e.report, e.sequence
from jsonb_to_recordset($1) as e(report jsonb, sequence bigint)
order by e.report ->> 'date', e.sequence desc
on conflict (date) do update
set report = excluded.report, sequence = excluded.sequence
where r.sequence < excluded.sequence
