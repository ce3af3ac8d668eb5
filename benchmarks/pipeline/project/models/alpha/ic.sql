/*---
grain: [date, horizon]
checks: ["blend is null or abs(blend) <= 1 + 1e-12"]
---
One row is a rebalance date and horizon: rank correlation of every factor with the return that followed.
*/
with pairs as (
    unpivot alpha.labels on ahead_1, ahead_5, ahead_21, ahead_63 into name horizon value ahead
),
ranks as (
    select
        date,
        horizon,
        {{ average_rank('ahead', 'date, horizon') }} as ahead,
        {{ average_rank('momentum', 'date, horizon') }} as momentum,
        {{ average_rank('inv_downside', 'date, horizon') }} as inv_downside,
        {{ average_rank('low_vol', 'date, horizon') }} as low_vol,
        {{ average_rank('beta', 'date, horizon') }} as beta,
        {{ average_rank('range_pct', 'date, horizon') }} as range_pct,
        {{ average_rank('amihud', 'date, horizon') }} as amihud,
        {{ average_rank('blend', 'date, horizon') }} as blend,
    from pairs
)
select
    date,
    horizon,
    count(*) as n,
    {{ rank_corr('momentum', 'ahead') }} as momentum,
    {{ rank_corr('inv_downside', 'ahead') }} as inv_downside,
    {{ rank_corr('low_vol', 'ahead') }} as low_vol,
    {{ rank_corr('beta', 'ahead') }} as beta,
    {{ rank_corr('range_pct', 'ahead') }} as range_pct,
    {{ rank_corr('amihud', 'ahead') }} as amihud,
    {{ rank_corr('blend', 'ahead') }} as blend,
from ranks
group by date, horizon
