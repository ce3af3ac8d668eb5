/*---
date: date
grain: [date, factor]
references: {date: universe.rebalances.date}
knowable: "case when date in (select newest.date from universe.rebalances as newest where newest.is_last) then date '9999-12-31' else date end"
order: [factor, date]
checks:
  - "coverage between 0 and 1"
columns:
  date: {type: DATE, doc: "decision date"}
  factor: {type: VARCHAR, doc: "table of the factors layer"}
  n_active: {type: BIGINT, unit: count, doc: "active members"}
  n_with_value: {type: BIGINT, unit: count, doc: "active members that have the factor"}
  coverage: {type: DOUBLE, unit: ratio, doc: "n_with_value / n_active"}
---
One row says how many of the names that could be held have a factor on a decision date: a factor of few names is a bet on few names.
*/
with factors as (
    {% for factor in tables('factors') -%}
    select {{ factor.table }} as factor
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
    select date, factor, count(*) as n_with_value
    from signals.panel
    group by date, factor
)

select
    active.date,
    factors.factor,
    active.n_active,
    coalesce(valued.n_with_value, 0) as n_with_value,
    coalesce(valued.n_with_value, 0) / active.n_active as coverage,
from active
cross join factors
left join valued on valued.date = active.date and valued.factor = factors.factor
