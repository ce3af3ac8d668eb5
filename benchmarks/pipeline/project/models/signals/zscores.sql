/*---
grain: [date, security_id]
---
One row is a member with its six factors, winsorised, standardised and neutral to sectors.
*/
with members as (
    select
        daily.date,
        daily.security_id,
        securities.sector,
        daily.momentum,
        daily.inv_downside,
        daily.low_vol,
        daily.beta,
        daily.range_pct,
        daily.amihud,
    from features.daily as daily
    semi join universe.members as members on members.date = daily.date and members.security_id = daily.security_id
    join pit.securities as securities on securities.security_id = daily.security_id
    where daily.is_rebalance
),
tails as (
    select
        date,
        quantile_cont(momentum, [{{ winsor_share }}, {{ 1 - winsor_share }}]) as momentum,
        quantile_cont(inv_downside, [{{ winsor_share }}, {{ 1 - winsor_share }}]) as inv_downside,
        quantile_cont(low_vol, [{{ winsor_share }}, {{ 1 - winsor_share }}]) as low_vol,
        quantile_cont(beta, [{{ winsor_share }}, {{ 1 - winsor_share }}]) as beta,
        quantile_cont(range_pct, [{{ winsor_share }}, {{ 1 - winsor_share }}]) as range_pct,
        quantile_cont(amihud, [{{ winsor_share }}, {{ 1 - winsor_share }}]) as amihud,
    from members
    group by date
),
clipped as (
    select
        members.date,
        members.security_id,
        members.sector,
        greatest(least(members.momentum, tails.momentum[2]), tails.momentum[1]) as momentum,
        greatest(least(members.inv_downside, tails.inv_downside[2]), tails.inv_downside[1]) as inv_downside,
        greatest(least(members.low_vol, tails.low_vol[2]), tails.low_vol[1]) as low_vol,
        greatest(least(members.beta, tails.beta[2]), tails.beta[1]) as beta,
        greatest(least(members.range_pct, tails.range_pct[2]), tails.range_pct[1]) as range_pct,
        greatest(least(members.amihud, tails.amihud[2]), tails.amihud[1]) as amihud,
    from members
    join tails on tails.date = members.date
),
moments as (
    select
        date,
        {{ stable_avg('momentum') }} as momentum_mean,
        {{ stable_stddev('momentum', 'security_id') }} as momentum_sd,
        {{ stable_avg('inv_downside') }} as inv_downside_mean,
        {{ stable_stddev('inv_downside', 'security_id') }} as inv_downside_sd,
        {{ stable_avg('low_vol') }} as low_vol_mean,
        {{ stable_stddev('low_vol', 'security_id') }} as low_vol_sd,
        {{ stable_avg('beta') }} as beta_mean,
        {{ stable_stddev('beta', 'security_id') }} as beta_sd,
        {{ stable_avg('range_pct') }} as range_pct_mean,
        {{ stable_stddev('range_pct', 'security_id') }} as range_pct_sd,
        {{ stable_avg('amihud') }} as amihud_mean,
        {{ stable_stddev('amihud', 'security_id') }} as amihud_sd,
    from clipped
    group by date
),
standard as (
    select
        clipped.date,
        clipped.security_id,
        clipped.sector,
        (clipped.momentum - moments.momentum_mean) / nullif(moments.momentum_sd, 0) as momentum,
        (clipped.inv_downside - moments.inv_downside_mean) / nullif(moments.inv_downside_sd, 0) as inv_downside,
        (clipped.low_vol - moments.low_vol_mean) / nullif(moments.low_vol_sd, 0) as low_vol,
        (clipped.beta - moments.beta_mean) / nullif(moments.beta_sd, 0) as beta,
        (clipped.range_pct - moments.range_pct_mean) / nullif(moments.range_pct_sd, 0) as range_pct,
        (clipped.amihud - moments.amihud_mean) / nullif(moments.amihud_sd, 0) as amihud,
    from clipped
    join moments on moments.date = clipped.date
),
sectors as (
    select
        date,
        sector,
        {{ stable_avg('momentum') }} as momentum,
        {{ stable_avg('inv_downside') }} as inv_downside,
        {{ stable_avg('low_vol') }} as low_vol,
        {{ stable_avg('beta') }} as beta,
        {{ stable_avg('range_pct') }} as range_pct,
        {{ stable_avg('amihud') }} as amihud,
    from standard
    group by date, sector
)
select
    standard.date,
    standard.security_id,
    standard.sector,
    standard.momentum - sectors.momentum as momentum,
    standard.inv_downside - sectors.inv_downside as inv_downside,
    standard.low_vol - sectors.low_vol as low_vol,
    standard.beta - sectors.beta as beta,
    standard.range_pct - sectors.range_pct as range_pct,
    standard.amihud - sectors.amihud as amihud,
from standard
join sectors on sectors.date = standard.date and sectors.sector = standard.sector
