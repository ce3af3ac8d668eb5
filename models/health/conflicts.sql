/*---
kind: incremental
date: date
look_back: 0
grain: [date, symbol, series]
checks:
  - {query: "select date from health.conflicts", level: warn, name: sources_disagree}
columns:
  date: {type: DATE, doc: "trade date"}
  symbol: {type: VARCHAR, doc: "ticker"}
  series: {type: VARCHAR, doc: "series"}
  n_sources: {type: BIGINT, unit: count, doc: "rows of equal knowledge"}
  low_close: {type: DOUBLE, unit: inr, doc: "lowest close any of them gives"}
  high_close: {type: DOUBLE, unit: inr, doc: "highest close any of them gives"}
  low_volume: {type: BIGINT, unit: shares, doc: "lowest volume"}
  high_volume: {type: BIGINT, unit: shares, doc: "highest volume"}
  low_turnover_inr: {type: DOUBLE, unit: inr, doc: "lowest value traded"}
  high_turnover_inr: {type: DOUBLE, unit: inr, doc: "highest value traded"}
---
One row is a key on which sources that were known at the same time disagree beyond rounding: a close by more than half a paisa, a volume at all, a value
by more than the thousand rupees that lakhs are rounded to. A correction that became known later is not a conflict.
*/
with shared_dates as (
    select date from raw.prices group by date having min(hash(batch_id, file)) != max(hash(batch_id, file))
),

compared as (
    select
        date,
        symbol,
        series,
        known_at,
        count(*) as n_sources,
        min(close) as low_close,
        max(close) as high_close,
        min(volume) as low_volume,
        max(volume) as high_volume,
        min(turnover_inr) as low_turnover_inr,
        max(turnover_inr) as high_turnover_inr,
    from raw.prices
    where date in (select date from shared_dates)
    group by all
    having count(*) > 1
)

select
    date,
    symbol,
    series,
    n_sources,
    low_close,
    high_close,
    low_volume,
    high_volume,
    low_turnover_inr,
    high_turnover_inr,
from compared
where high_close - low_close > 0.005 or high_volume != low_volume or high_turnover_inr - low_turnover_inr > 1000
qualify row_number() over (partition by date, symbol, series order by known_at desc) = 1
