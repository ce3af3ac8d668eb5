/*---
grain: [date, security_id]
---
One row is a member with the returns that followed; labels are made only where there is a score.
*/
with ahead as (
    select
        date,
        security_id,
        lead(close, 1) over by_session / nullif(close, 0) - 1 as ahead_1,
        lead(close, 5) over by_session / nullif(close, 0) - 1 as ahead_5,
        lead(close, 21) over by_session / nullif(close, 0) - 1 as ahead_21,
        lead(close, 63) over by_session / nullif(close, 0) - 1 as ahead_63,
    from pit.returns
    window by_session as (partition by security_id order by date)
    qualify date in (select date from pit.sessions where is_rebalance)
)
select
    score.date,
    score.security_id,
    score.momentum,
    score.inv_downside,
    score.low_vol,
    score.beta,
    score.range_pct,
    score.amihud,
    score.blend,
    ahead.ahead_1,
    ahead.ahead_5,
    ahead.ahead_21,
    ahead.ahead_63,
from signals.score as score
join ahead on ahead.date = score.date and ahead.security_id = score.security_id
