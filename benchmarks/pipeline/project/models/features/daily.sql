/*---
grain: [date, security_id]
checks: ["low_vol is null or low_vol <= 0", "adv_inr >= 0"]
---
One row is a security's session with all six factors: one pass over the panel feeds every window.
Returns start on the second session, so a window of n returns is whole from session n + 1 on.
*/
with inputs as (
    select
        returns.date,
        returns.security_id,
        returns.close,
        returns.n_sessions,
        returns.turnover_inr,
        returns.true_range,
        returns.ret,
        case when returns.ret is not null then market.ret end as market_ret,
        case when returns.ret < 0 then returns.ret * returns.ret when returns.ret is not null then 0.0 end as downside,
        abs(returns.ret) / nullif(returns.turnover_inr, 0) as price_impact,
        sessions.is_rebalance,
    from pit.returns as returns
    join pit.market as market on market.date = returns.date
    join pit.sessions as sessions on sessions.date = returns.date
)
select
    date,
    security_id,
    close,
    ret,
    n_sessions,
    is_rebalance,
    median(turnover_inr) over quarter as adv_inr,
    lag(close, {{ month_sessions }}) over by_session
        / nullif(lag(close, {{ year_sessions }}) over by_session, 0) - 1 as momentum,
    case when n_sessions > {{ year_sessions }} then 1 / nullif(sqrt(avg(downside) over year), 0) end as inv_downside,
    case when n_sessions > {{ year_sessions }} then -stddev_samp(ret) over year end as low_vol,
    case
        when n_sessions > {{ year_sessions }}
        then covar_samp(ret, market_ret) over year / nullif(var_samp(market_ret) over year, 0)
    end as beta,
    case when n_sessions > {{ range_sessions }} then avg(true_range) over fortnight / nullif(close, 0) end as range_pct,
    case when n_sessions > {{ quarter_sessions }} then avg(price_impact) over quarter end as amihud,
from inputs
window
    by_session as (partition by security_id order by date),
    fortnight as (partition by security_id order by date rows between {{ range_sessions - 1 }} preceding and current row),
    quarter as (partition by security_id order by date rows between {{ quarter_sessions - 1 }} preceding and current row),
    year as (partition by security_id order by date rows between {{ year_sessions - 1 }} preceding and current row)
