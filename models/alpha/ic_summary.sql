/*---
grain: [factor, horizon_days]
knowable: "date '9999-12-31'"
checks:
  - "hit_rate between 0 and 1"
  - "n_dates >= 1"
columns:
  factor: {type: VARCHAR, doc: "table of the factors layer"}
  sleeve: {type: VARCHAR, doc: "family of the factor"}
  horizon_days: {type: INTEGER, unit: sessions, doc: "horizon of the returns"}
  mean_ic: {type: DOUBLE, doc: "mean coefficient over decision dates"}
  std_ic: {type: DOUBLE, doc: "standard deviation of the coefficients"}
  t_stat: {type: DOUBLE, doc: "mean over its Newey-West standard error; null with fewer than three dates"}
  lags: {type: INTEGER, unit: decision dates, doc: "following decision dates whose returns overlap, the lags of the error"}
  hit_rate: {type: DOUBLE, unit: ratio, doc: "share of dates with a positive coefficient"}
  n_dates: {type: BIGINT, unit: count, doc: "decision dates"}
  known_on: {type: DATE, doc: "last session of the last return"}
---
One row is what a factor's coefficients add up to over all decision dates. Returns that overlap make neighbouring coefficients alike, so the error of
the mean is Newey and West's with Bartlett weights, and as many lags as later decision dates fall inside the horizon (h − 1 sessions,
counted in steps between decisions: none for a month's decisions and a day's return, two or three for a month's and a quarter's).
A summary is over the whole history: every new return moves it, so it is never final and decides nothing. Source: Newey & West (1987), Econometrica 55(3).
*/
with dated as (
    select
        ic.*,
        rebalances.session_no,
        row_number() over (partition by ic.factor, ic.horizon_days order by ic.date) as step,
    from alpha.ic as ic
    join universe.rebalances as rebalances using (date)
    where ic.ic is not null
),

totals as (
    select
        factor,
        sleeve,
        horizon_days,
        count(*) as n_dates,
        avg(ic order by date) as mean_ic,
        stddev_samp(ic order by date) as std_ic,
        count(*) filter (where ic > 0) / count(*) as hit_rate,
        max(known_on) as known_on,
    from dated
    group by factor, sleeve, horizon_days
),

overlapping as (
    select
        early.factor,
        early.horizon_days,
        coalesce(max(late.step - early.step), 0) as lags,
    from dated as early
    left join dated as late
        on late.factor = early.factor and late.horizon_days = early.horizon_days
        and late.session_no > early.session_no and late.session_no < early.session_no + early.horizon_days
    group by early.factor, early.horizon_days
),

products as (
    select
        early.factor,
        early.horizon_days,
        overlapping.lags,
        late.step - early.step as lag,
        sum((early.ic - totals.mean_ic) * (late.ic - totals.mean_ic) order by early.date) as product,
    from dated as early
    join overlapping using (factor, horizon_days)
    join totals using (factor, horizon_days)
    join dated as late
        on late.factor = early.factor and late.horizon_days = early.horizon_days
        and late.step between early.step and early.step + overlapping.lags
    group by early.factor, early.horizon_days, overlapping.lags, late.step - early.step
),

errors as (
    select
        factor,
        horizon_days,
        lags,
        sum(if(lag = 0, 1, 2 * (1 - lag / nullif(lags + 1, 0))) * product order by lag) as squares,
    from products
    group by factor, horizon_days, lags
)

select
    totals.factor,
    totals.sleeve,
    totals.horizon_days,
    totals.mean_ic,
    totals.std_ic,
    if(totals.n_dates >= 3 and errors.squares > 0, totals.mean_ic * totals.n_dates / sqrt(errors.squares), null) as t_stat,
    errors.lags::integer as lags,
    totals.hit_rate,
    totals.n_dates,
    totals.known_on,
from totals
join errors using (factor, horizon_days)
