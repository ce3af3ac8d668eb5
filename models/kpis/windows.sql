/*---
grain: [portfolio, basis, window]
knowable: "coalesce(make_date(try_cast(\"window\" as integer) + 1, 1, 1), date '9999-12-31')"
checks:
  - base_date < last_date
columns:
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  basis: {type: VARCHAR, doc: "gross, net, after_tax, or benchmark"}
  window: {type: VARCHAR, doc: "full; common: from the latest inception of all portfolios; 1y, 3y, 5y up to the last session; a calendar year"}
  base_date: {type: DATE, doc: "session at whose close the window starts: its NAV is the base, its return is not in the window"}
  last_date: {type: DATE, doc: "last session of the window"}
---
The spans of time KPIs are told for. A calendar year starts from the last close of the year before; the first from the inception. Only over
the common span can portfolios of different age be compared.
*/
with spans as (
    select
        portfolio,
        basis,
        min(date) as first_date,
        max(date) as last_date,
    from kpis.curves
    group by portfolio, basis
),

years as (
    select
        portfolio,
        basis,
        extract(year from date) as year,
        min(date) as first_date,
        max(date) as last_date,
    from kpis.curves
    group by portfolio, basis, extract(year from date)
),

calendar_years as (
    select
        portfolio,
        basis,
        year::varchar as "window",
        coalesce(lag(last_date) over (partition by portfolio, basis order by year), first_date) as base_date,
        last_date,
    from years
),

trailing_years as (
    select
        spans.portfolio,
        spans.basis,
        spans.last_date,
        lengths.years,
        max(curves.date) as base_date,
    from spans
    cross join (values (1), (3), (5)) as lengths (years)
    inner join kpis.curves as curves
        on curves.portfolio = spans.portfolio
        and curves.basis = spans.basis
        and curves.date <= spans.last_date - to_years(lengths.years)
    group by spans.portfolio, spans.basis, spans.last_date, lengths.years
),

-- the first session that every curve of every portfolio has; a benchmark may begin later than what it is measured against
latest as (
    select max(first_date) as first_date
    from spans
    where basis != 'benchmark'
),

common as (
    select
        curves.portfolio,
        curves.basis,
        min(curves.date) as base_date,
        max(curves.date) as last_date,
    from kpis.curves as curves
    cross join latest
    where curves.date >= latest.first_date
    group by curves.portfolio, curves.basis
)

select
    portfolio,
    basis,
    'full' as "window",
    first_date as base_date,
    last_date,
from spans
where first_date < last_date
union all
select
    portfolio,
    basis,
    'common' as "window",
    base_date,
    last_date,
from common
where base_date < last_date
union all
select
    portfolio,
    basis,
    "window",
    base_date,
    last_date,
from calendar_years
where base_date < last_date
union all
select
    portfolio,
    basis,
    years || 'y' as "window",
    base_date,
    last_date,
from trailing_years
