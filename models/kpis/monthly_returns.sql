/*---
grain: [portfolio, basis, year, month]
knowable: "(make_date(year, month, 1) + interval 1 month)::date"
checks:
  - ret > -1
columns:
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  basis: {type: VARCHAR, doc: "gross, net, after_tax, or benchmark"}
  year: {type: BIGINT, doc: "calendar year"}
  month: {type: BIGINT, doc: "1 to 12"}
  ret: {type: DOUBLE, unit: ratio, doc: "from the last close of the month before, the first from the inception"}
  last_date: {type: DATE, doc: "last session of the month so far"}
---
Returns by calendar month.
*/
with month_ends as (
    select
        portfolio,
        basis,
        extract(year from date) as year,
        extract(month from date) as month,
        min(date) as first_date,
        max(date) as last_date,
        arg_max(nav, date) as nav,
        arg_min(nav, date) as first_nav,
    from kpis.curves
    group by portfolio, basis, extract(year from date), extract(month from date)
),

chained as (
    select
        *,
        coalesce(lag(nav) over (partition by portfolio, basis order by last_date), first_nav) as base_nav,
        coalesce(lag(last_date) over (partition by portfolio, basis order by last_date), first_date) as base_date,
    from month_ends
)

select
    portfolio,
    basis,
    year,
    month,
    nav / nullif(base_nav, 0.0) - 1.0 as ret,
    last_date,
from chained
-- an inception on the last session of a month is not a month
where base_date < last_date
