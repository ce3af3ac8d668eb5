/*---
kind: incremental
date: date
look_back: 0
grain: [date]
knowable: date
order: [date]
checks:
  - "n_securities > 0"
columns:
  date: {type: DATE, doc: "trade date"}
  n_securities: {type: BIGINT, unit: count, doc: "rows of the fullest source of the day"}
  turnover_inr: {type: DOUBLE, unit: inr, doc: "value traded in the fullest source of the day"}
  known_at: {type: TIMESTAMPTZ, doc: "when all of that was known"}
---
One row is one day somebody printed prices for, whether it was a session or a stray file: pit.sessions tells them apart. It says what was known
at the decision of the day, or, where all of it came later, at the first moment something was; later files and corrections do not change it.
Files of one format are parts of one picture of a day; two formats are two pictures of it, and the fuller one counts.
*/
with files as (
    select
        date,
        batch_id,
        file,
        known_at,
        count(*) as n_securities,
        {{ stable_sum('coalesce(turnover_inr, close * volume)', 2) }} as turnover_inr,
    from raw.prices
    group by all
),

counted as (
    select
        date,
        count(*) as n_files,
        greatest({{ decision_us('date') }}, epoch_us(min(known_at))) as known_by,
    from files
    group by date
),

-- a file for each name, or a day loaded twice
parts as (
    select
        prices.date,
        prices.format,
        prices.symbol,
        prices.series,
        max(coalesce(prices.turnover_inr, prices.close * prices.volume)) as turnover_inr,
        max(prices.known_at) as known_at,
    from raw.prices as prices
    join counted on counted.date = prices.date and counted.n_files > 1 and epoch_us(prices.known_at) <= counted.known_by
    group by all
),

pictures as (
    select date, n_securities, turnover_inr, known_at
    from files
    where date in (select date from counted where n_files = 1)
    union all
    select date, count(*), {{ stable_sum('turnover_inr', 2) }}, max(known_at)
    from parts
    group by date, format
)

select
    date,
    max(n_securities) as n_securities,
    max(turnover_inr) as turnover_inr,
    max(known_at) as known_at,
from pictures
group by date
