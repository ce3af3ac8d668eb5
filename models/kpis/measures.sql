/*---
grain: [portfolio, basis, window]
knowable: "coalesce(make_date(try_cast(\"window\" as integer) + 1, 1, 1), date '9999-12-31')"
checks:
  - {name: a_year_has_sessions, query: "select {{ sessions_per_year }} as sessions_per_year where {{ sessions_per_year }} <= 0"}
columns:
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  basis: {type: VARCHAR, doc: "gross, net, after_tax, or benchmark"}
  window: {type: VARCHAR, doc: "kpis.windows"}
  base_date: {type: DATE, doc: "kpis.windows"}
  last_date: {type: DATE, doc: "kpis.windows"}
  sessions: {type: BIGINT, unit: sessions, doc: "returns in the window"}
  days: {type: BIGINT, unit: days, doc: "calendar days"}
  total_return: {type: DOUBLE, unit: ratio, doc: "NAV at the end over NAV at the base, less one"}
  cagr: {type: DOUBLE, unit: ratio a year, doc: "by calendar time, 365.25 days a year; null under a year"}
  cagr_sessions: {type: DOUBLE, unit: ratio a year, doc: "by sessions; null under a year"}
  mean_excess: {type: DOUBLE, unit: ratio a session, doc: "mean return above the risk-free rate"}
  volatility_ann: {type: DOUBLE, unit: ratio a year, doc: "n − 1 deviation of returns"}
  sharpe: {type: DOUBLE, unit: ratio, doc: "mean over n − 1 deviation of excess returns, annualised"}
  sortino: {type: DOUBLE, unit: ratio, doc: "mean excess over the root mean square of its losses over all sessions, annualised"}
  max_drawdown: {type: DOUBLE, unit: ratio, doc: "largest fall from a high of the window, whose base counts as a high"}
  calmar: {type: DOUBLE, unit: ratio, doc: "cagr over the size of max_drawdown"}
  omega: {type: DOUBLE, unit: ratio, doc: "gains over losses around the risk-free rate"}
  profit_factor: {type: DOUBLE, unit: ratio, doc: "sum of gains over sum of losses, by session"}
  hit_rate: {type: DOUBLE, unit: ratio, doc: "sessions with a gain"}
  best_session: {type: DOUBLE, unit: ratio, doc: "largest return"}
  worst_session: {type: DOUBLE, unit: ratio, doc: "smallest return"}
  common_sessions: {type: BIGINT, unit: sessions, doc: "sessions in which the benchmark has a return too"}
  beta: {type: DOUBLE, unit: ratio, doc: "slope of excess returns on the benchmark's"}
  alpha_ann: {type: DOUBLE, unit: ratio a year, doc: "mean excess return that beta leaves, compounded over a year"}
  correlation: {type: DOUBLE, unit: ratio, doc: "with the benchmark"}
  tracking_error_ann: {type: DOUBLE, unit: ratio a year, doc: "n − 1 deviation of the difference to the benchmark"}
  information_ratio: {type: DOUBLE, unit: ratio, doc: "mean of that difference over its deviation, annualised"}
---
All measures of a curve over a window, side by side. Sums are added in the order of time, so that they never depend on threads.
A deviation below 1e-12 counts as none: what is divided by it is null.
*/
with rates as (
    select
        {{ sessions_per_year }}::double as year,
        pow(1.0 + {{ risk_free_pct_ann }} / 100.0, 1.0 / nullif({{ sessions_per_year }}, 0)) - 1.0 as risk_free,
),

sessions as (
    select
        windows.portfolio,
        windows.basis,
        windows."window",
        windows.base_date,
        windows.last_date,
        curves.date,
        curves.nav,
        max(curves.nav) over (
            partition by windows.portfolio, windows.basis, windows."window"
            order by curves.date rows between unbounded preceding and current row
        ) as high,
        case when curves.date > windows.base_date then curves.ret end as ret,
        case when curves.date > windows.base_date then curves.ret - rates.risk_free end as excess,
        case when curves.date > windows.base_date and curves.ret is not null then curves.benchmark_ret - rates.risk_free end
            as benchmark_excess,
    from kpis.windows as windows
    inner join kpis.curves as curves
        on curves.portfolio = windows.portfolio
        and curves.basis = windows.basis
        and curves.date between windows.base_date and windows.last_date
    cross join rates
),

moments as (
    select
        portfolio,
        basis,
        "window",
        base_date,
        last_date,
        count(ret) as sessions,
        date_diff('day', base_date, last_date) as days,
        arg_max(nav, date) / nullif(arg_min(nav, date), 0.0) as growth,
        avg(excess order by date) as mean_excess,
        stddev_samp(ret order by date) as deviation,
        -- least() of a null is the other one: a session without a return must not count as one without a loss
        sqrt(avg(pow(least(excess, 0.0), 2) order by date) filter (where excess is not null)) as downside,
        min(nav / nullif(high, 0.0) - 1.0) as max_drawdown,
        sum(greatest(excess, 0.0) order by date) as excess_gains,
        sum(greatest(-excess, 0.0) order by date) as excess_losses,
        sum(greatest(ret, 0.0) order by date) as gains,
        sum(greatest(-ret, 0.0) order by date) as losses,
        count(*) filter (where ret > 0.0) as sessions_up,
        max(ret) as best_session,
        min(ret) as worst_session,
        count(benchmark_excess) as common_sessions,
        avg(excess order by date) filter (where benchmark_excess is not null) as common_mean_excess,
        avg(benchmark_excess order by date) as benchmark_mean_excess,
        covar_samp(excess, benchmark_excess order by date) as covariance,
        stddev_samp(excess order by date) filter (where benchmark_excess is not null) as common_deviation,
        stddev_samp(benchmark_excess order by date) as benchmark_deviation,
        stddev_samp(excess - benchmark_excess order by date) as active_deviation,
        avg(excess - benchmark_excess order by date) as active_mean,
    from sessions
    group by portfolio, basis, "window", base_date, last_date
),

divisors as (
    select
        *,
        case when deviation > 1e-12 then deviation end as deviation_or_null,
        case when benchmark_deviation > 1e-12 then benchmark_deviation end as benchmark_deviation_or_null,
        case when common_deviation > 1e-12 then common_deviation end as common_deviation_or_null,
        case when active_deviation > 1e-12 then active_deviation end as active_deviation_or_null,
        -- a year by sessions can end a day or two before the calendar's
        case when days >= 360 then pow(growth, 365.25 / nullif(days, 0)) - 1.0 end as cagr,
    from moments
),

slopes as (
    select
        *,
        covariance / nullif(pow(benchmark_deviation_or_null, 2), 0.0) as beta,
    from divisors
)

select
    slopes.portfolio,
    slopes.basis,
    slopes."window",
    slopes.base_date,
    slopes.last_date,
    slopes.sessions,
    slopes.days,
    slopes.growth - 1.0 as total_return,
    slopes.cagr,
    case when slopes.days >= 360 then pow(slopes.growth, rates.year / nullif(slopes.sessions, 0)) - 1.0 end as cagr_sessions,
    slopes.mean_excess,
    slopes.deviation * sqrt(rates.year) as volatility_ann,
    slopes.mean_excess / nullif(slopes.deviation_or_null, 0.0) * sqrt(rates.year) as sharpe,
    slopes.mean_excess / nullif(slopes.downside, 0.0) * sqrt(rates.year) as sortino,
    slopes.max_drawdown,
    slopes.cagr / nullif(abs(slopes.max_drawdown), 0.0) as calmar,
    slopes.excess_gains / nullif(slopes.excess_losses, 0.0) as omega,
    slopes.gains / nullif(slopes.losses, 0.0) as profit_factor,
    slopes.sessions_up / nullif(slopes.sessions, 0)::double as hit_rate,
    slopes.best_session,
    slopes.worst_session,
    slopes.common_sessions,
    slopes.beta,
    pow(1.0 + slopes.common_mean_excess - slopes.beta * slopes.benchmark_mean_excess, rates.year) - 1.0 as alpha_ann,
    slopes.covariance
    / nullif(slopes.common_deviation_or_null * slopes.benchmark_deviation_or_null, 0.0) as correlation,
    slopes.active_deviation * sqrt(rates.year) as tracking_error_ann,
    slopes.active_mean / nullif(slopes.active_deviation_or_null, 0.0) * sqrt(rates.year) as information_ratio,
from slopes
cross join rates
