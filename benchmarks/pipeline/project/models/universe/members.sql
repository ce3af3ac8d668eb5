/*---
grain: [date, security_id]
order: [date, security_id]
---
One row is a security that can be held from a rebalance date on.
*/
select
    date,
    security_id,
    adv_inr,
from features.daily
where is_rebalance
    and adv_inr >= {{ min_adv_inr }}
    and close >= {{ min_close_inr }}
    and n_sessions > {{ year_sessions }}
    and momentum is not null
    and amihud is not null
