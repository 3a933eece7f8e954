update orders as o
set amount = e.amount, sequence = e.sequence
from (
    select distinct on (e."orderId") e."orderId", e.amount, e.sequence
    from jsonb_to_recordset($1) as e("orderId" text, amount bigint, sequence bigint)
    order by e."orderId", e.sequence desc
) as e
where o.order_id = e."orderId" and o.status = 'placed' and o.sequence < e.sequence;
