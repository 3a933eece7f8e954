update orders as o
set status = 'cancelled', sequence = e.sequence
from jsonb_to_recordset($1) as e("orderId" text, sequence bigint)
where o.order_id = e."orderId" and o.sequence < e.sequence;
