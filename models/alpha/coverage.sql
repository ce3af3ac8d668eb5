/*---
date: date
grain: [date, factor]
references: {date: universe.rebalances.date}
knowable: "case when date in (select newest.date from universe.rebalances as newest where newest.is_last) then date '9999-12-31' else date end"
order: [factor, date]
checks:
  - "coverage between 0 and 1"
  - "n_from_filings + n_from_prices = n_with_value + n_proxies"
columns:
  date: {type: DATE, doc: "decision date"}
  factor: {type: VARCHAR, doc: "table of the factors layer"}
  n_active: {type: BIGINT, unit: count, doc: "active members"}
  n_with_value: {type: BIGINT, unit: count, doc: "active members that have the factor itself"}
  coverage: {type: DOUBLE, unit: ratio, doc: "n_with_value / n_active"}
  basis: {type: VARCHAR, doc: "what the factor is made of: filings or prices"}
  n_from_filings: {type: BIGINT, unit: count, doc: "active members in the panel with a value made of filings"}
  n_from_prices: {type: BIGINT, unit: count, doc: "active members in the panel with a value made of prices, proxies included"}
  n_proxies: {type: BIGINT, unit: count, doc: "active members for which a factor of prices stands in"}
---
One row says how many of the names that could be held have a factor on a decision date, and what it is made of: a factor of few names is a bet on few
names, and a proxy is not the factor.
*/
with factors as (
    {% for factor in tables('factors') -%}
    select {{ factor.table }} as factor, {{ factor.meta.basis }} as basis
    {% if not loop.last %}union all
    {% endif %}{% endfor %}
),

active as (
    select date, count(*) as n_active
    from universe.members
    where active
    group by date
),

valued as (
    select
        date,
        factor,
        count(*) filter (not is_proxy) as n_with_value,
        count(*) filter (basis = 'filings') as n_from_filings,
        count(*) filter (basis = 'prices') as n_from_prices,
        count(*) filter (is_proxy) as n_proxies,
    from signals.panel
    group by date, factor
)

select
    active.date,
    factors.factor,
    active.n_active,
    coalesce(valued.n_with_value, 0) as n_with_value,
    coalesce(valued.n_with_value, 0) / active.n_active as coverage,
    factors.basis,
    coalesce(valued.n_from_filings, 0) as n_from_filings,
    coalesce(valued.n_from_prices, 0) as n_from_prices,
    coalesce(valued.n_proxies, 0) as n_proxies,
from active
cross join factors
left join valued on valued.date = active.date and valued.factor = factors.factor
