-- Not idempotent on purpose: an event that is applied twice is counted twice.
insert into tallies (order_id, events)
select e."orderId", count(*)
from jsonb_to_recordset($1) as e("orderId" text)
group by e."orderId"
on conflict (order_id) do update
set events = tallies.events + excluded.events;
