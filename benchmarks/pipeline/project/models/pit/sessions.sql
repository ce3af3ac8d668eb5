/*---
grain: [date]
---
One row is a session; the last of a month rebalances.
*/
select
    date,
    row_number() over (order by date) as session_no,
    date = max(date) over (partition by date_trunc('month', date)) as is_rebalance,
from pit.market
