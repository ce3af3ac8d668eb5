/*---
grain: [date]
---
One row is a session of the equal-weighted market.
*/
select
    date,
    {{ stable_avg('ret') }} as ret,
    count(ret) as n_securities,
from pit.returns
group by date
