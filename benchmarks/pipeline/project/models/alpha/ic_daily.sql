/*---
grain: [date]
---
One row is a session: rank correlation of momentum with the returns of four horizons, as factor libraries compute it.
*/
with ahead as (
    select
        date,
        momentum,
        lead(close, 1) over by_session / nullif(close, 0) - 1 as ahead_1,
        lead(close, 5) over by_session / nullif(close, 0) - 1 as ahead_5,
        lead(close, 21) over by_session / nullif(close, 0) - 1 as ahead_21,
        lead(close, 63) over by_session / nullif(close, 0) - 1 as ahead_63,
    from features.daily
    window by_session as (partition by security_id order by date)
),
ranks as (
    select
        date,
        rank() over (partition by date order by momentum) as momentum,
        case when ahead_1 is not null then rank() over (partition by date order by ahead_1 nulls last) end as ahead_1,
        case when ahead_5 is not null then rank() over (partition by date order by ahead_5 nulls last) end as ahead_5,
        case when ahead_21 is not null then rank() over (partition by date order by ahead_21 nulls last) end as ahead_21,
        case when ahead_63 is not null then rank() over (partition by date order by ahead_63 nulls last) end as ahead_63,
    from ahead
    where momentum is not null
)
select
    date,
    {{ whole_rank_corr('momentum', 'ahead_1') }} as ic_1,
    {{ whole_rank_corr('momentum', 'ahead_5') }} as ic_5,
    {{ whole_rank_corr('momentum', 'ahead_21') }} as ic_21,
    {{ whole_rank_corr('momentum', 'ahead_63') }} as ic_63,
from ranks
group by date
