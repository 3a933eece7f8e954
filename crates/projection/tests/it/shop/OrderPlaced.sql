insert into orders (order_id, amount, status, placed_by, sequence)
select e."orderId", e.amount, 'placed', e.actor, e.sequence
from jsonb_to_recordset($1) as e("orderId" text, amount bigint, actor text, sequence bigint)
on conflict (order_id) do nothing;
