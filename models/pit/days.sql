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
  n_files: {type: BIGINT, unit: count, doc: "files with rows of the day; more than one may hold the same row"}
  n_securities: {type: BIGINT, unit: count, doc: "rows of the fullest source of the day"}
  turnover_inr: {type: DOUBLE, unit: inr, doc: "value traded in the fullest source of the day"}
---
One row is one day somebody printed prices for, whether it was a session or a stray file: pit.sessions tells them apart. Known at its evening.
Files of one format are parts of one picture of a day; two formats are two pictures of it, and the fuller one counts.
*/
with files as (
    select
        date,
        batch_id,
        file,
        count(*) as n_securities,
        {{ stable_sum('coalesce(turnover_inr, close * volume)', 2) }} as turnover_inr,
    from raw.prices
    group by all
),

counted as (
    select date, count(*) as n_files from files group by date
),

-- a file for each name, or a day loaded twice
parts as (
    select
        date,
        format,
        symbol,
        series,
        max(coalesce(turnover_inr, close * volume)) as turnover_inr,
    from raw.prices
    where date in (select date from counted where n_files > 1)
    group by all
),

pictures as (
    select date, n_securities, turnover_inr
    from files
    where date in (select date from counted where n_files = 1)
    union all
    select date, count(*), {{ stable_sum('turnover_inr', 2) }}
    from parts
    group by date, format
)

select
    pictures.date,
    any_value(counted.n_files) as n_files,
    max(pictures.n_securities) as n_securities,
    max(pictures.turnover_inr) as turnover_inr,
from pictures
join counted using (date)
group by pictures.date
