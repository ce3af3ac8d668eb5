/*---
grain: [portfolio, item, from_date]
interval: [from_date, to_date]
knowable: to_date
order: [portfolio, item, from_date]
checks:
  - from_date < to_date
  - value >= 0
  - item in ('vol_scale', 'throttle', 'kelly', 'trend_gate', 'volatility_gate', 'cap', 'exposure', 'applied')
  - name: exposure_is_the_product_and_stays_under_its_cap
    query: >-
      select exposures.* from book.switches as exposures
      inner join config.portfolios as portfolios on portfolios.portfolio = exposures.portfolio
      inner join config.risk as rules on rules.overlay = portfolios.overlay
      where exposures.item in ('exposure', 'applied') and exposures.value > rules.max_exposure + 1e-9
columns:
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  item: {type: VARCHAR, doc: "a multiplier of the overlay (vol_scale, throttle, kelly, trend_gate, volatility_gate, cap), exposure: what they make of the weights together, or applied: what holdings were last brought to"}
  from_date: {type: DATE, doc: "session at whose close it was found; it acts from the next session on"}
  to_date: {type: DATE, doc: "session that changed it; 9999-12-31 while it stands"}
  value: {type: DOUBLE, unit: ratio, doc: "1 leaves the weights as the optimiser wants them"}
---
One row is how long a portfolio's overlay kept one multiplier of its exposure. Portfolios without rules that scale have none. Why the exposure of a
session was what it was: read the rows that held on the evening before.
*/
with changes as (
    select
        portfolio,
        reason as item,
        date as from_date,
        lead(date) over (partition by portfolio, reason order by seq) as to_date,
        level as value,
    from book.events
    where kind = 'exposure'
)

select
    portfolio,
    item,
    from_date,
    coalesce(to_date, date '9999-12-31') as to_date,
    value,
from changes
