/*---
grain: [date, security_id]
checks: ["rank >= 1"]
---
One row is a member with its blended score and its rank, 1 the best.
*/
with blended as (
    select
        *,
        momentum + inv_downside + low_vol - beta - range_pct - amihud as blend,
    from signals.zscores
)
select
    date,
    security_id,
    sector,
    momentum,
    inv_downside,
    low_vol,
    beta,
    range_pct,
    amihud,
    blend,
    row_number() over (partition by date order by blend desc nulls last, security_id) as rank,
from blended
