/*---
grain: [portfolio, basis, peak_date]
knowable: "coalesce(recovered_date, date '9999-12-31')"
checks:
  - depth < 0
  - peak_date < trough_date and trough_date <= last_date
columns:
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  basis: {type: VARCHAR, doc: "gross, net, after_tax, or benchmark"}
  peak_date: {type: DATE, doc: "session of the high it fell from"}
  trough_date: {type: DATE, doc: "session of its deepest close"}
  recovered_date: {type: DATE, doc: "first session at the old high again; null while under water"}
  last_date: {type: DATE, doc: "recovered_date, or the last session"}
  depth: {type: DOUBLE, unit: ratio, doc: "lowest NAV over the high, less one"}
  days: {type: BIGINT, unit: days, doc: "calendar days from the high to last_date"}
  sessions: {type: BIGINT, unit: sessions, doc: "sessions under water"}
---
Every spell below a high, from the high to the session that reaches it again.
*/
with highs as (
    select
        portfolio,
        basis,
        date,
        drawdown,
        count(*) filter (where drawdown >= 0.0) over (
            partition by portfolio, basis order by date rows between unbounded preceding and current row
        ) as high_no,
    from kpis.curves
),

spells as (
    select
        portfolio,
        basis,
        high_no,
        min(date) as peak_date,
        max(date) as under_water_until,
        arg_min(date, drawdown order by date) as trough_date,
        min(drawdown) as depth,
        count(*) - 1 as sessions,
    from highs
    group by portfolio, basis, high_no
),

followed as (
    select
        *,
        lead(peak_date) over (partition by portfolio, basis order by high_no) as recovered_date,
    from spells
)

select
    portfolio,
    basis,
    peak_date,
    trough_date,
    recovered_date,
    coalesce(recovered_date, under_water_until) as last_date,
    depth,
    date_diff('day', peak_date, coalesce(recovered_date, under_water_until)) as days,
    sessions,
from followed
where depth < 0.0
