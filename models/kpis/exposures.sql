/*---
date: date
grain: [portfolio, date, sector]
order: [portfolio, date]
knowable: "(date_trunc('month', date) + interval 1 month)::date"
checks:
  - weight > -1e-9 or sector = 'cash'
  - name: weights_sum_to_one
    query: >-
      select portfolio, date, sum(weight) as total from kpis.exposures group by portfolio, date having abs(sum(weight) - 1) > 1e-9
columns:
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  date: {type: DATE, doc: "last session of a month, and the newest"}
  sector: {type: VARCHAR, doc: "sector known on the date; unlabelled, and cash, are rows too"}
  weight: {type: DOUBLE, unit: ratio, doc: "of the portfolio's value; that of cash is below zero while cash is borrowed"}
  names: {type: BIGINT, doc: "names held"}
---
What the portfolio holds by sector at month ends, cash included.
*/
with dates as (
    select
        portfolio,
        date,
        cash_inr / nullif(value_inr, 0.0) as cash_weight,
    from book.nav
    where basis = 'net'
    qualify row_number() over (partition by portfolio, date_trunc('month', date) order by date desc) = 1
),

held as (
    select
        positions.portfolio,
        positions.date,
        coalesce(sectors.sector, 'unlabelled') as sector,
        positions.security_id,
        positions.weight,
    from dates
    inner join book.positions as positions on positions.portfolio = dates.portfolio and positions.date = dates.date
    left join pit.sectors as sectors
        on sectors.security_id = positions.security_id
        and sectors.valid_from <= positions.date
        and sectors.valid_to > positions.date
)

select
    portfolio,
    date,
    sector,
    sum(weight order by security_id) as weight,
    count(*) as names,
from held
group by portfolio, date, sector
union all
select
    portfolio,
    date,
    'cash' as sector,
    cash_weight as weight,
    0 as names,
from dates
