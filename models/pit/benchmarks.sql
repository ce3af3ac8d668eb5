/*---
kind: incremental
date: date
look_back: 20
grain: [date, benchmark, kind]
knowable: date
order: [benchmark, kind, session_no]
checks:
  - "level > 0"
  - "kind in ('price', 'total')"
  - "benchmark = upper(benchmark)"
columns:
  date: {type: DATE, doc: "session"}
  session_no: {type: INTEGER, doc: "number of the session"}
  benchmark: {type: VARCHAR, doc: "index name in capitals"}
  kind: {type: VARCHAR, doc: "price, or total (dividends reinvested)"}
  level: {type: DOUBLE, unit: points, doc: "closing level, or the last one where the index has none that day"}
  ret: {type: DOUBLE, unit: ratio, doc: "return since the previous session; null on the first"}
  is_filled: {type: BOOLEAN, doc: "true where the level is carried from an earlier session"}
  known_at: {type: TIMESTAMPTZ, doc: "when the level was known"}
---
One row is an index on one of *our* sessions. Known at its evening. A missing level is carried from the past for at most five sessions (its
return is zero, and the next level brings the whole move), never filled from the future; after that the index has ended.
*/
with newest as (
    select
        upper(index_name) as benchmark,
        kind,
        date,
        close,
        known_at,
    from raw.index_levels
    -- a level of zero is a level that is missing
    where close > 0
    qualify row_number() over (
        partition by upper(index_name), kind, date order by known_at desc, source_rank, close
    ) = 1
),

levels as (
    select newest.*, sessions.session_no
    from newest
    join pit.sessions as sessions using (date)
),

spans as (
    select
        *,
        lead(session_no) over (partition by benchmark, kind order by session_no) as next_no,
    from levels
),

on_sessions as (
    select
        sessions.date,
        sessions.session_no,
        spans.benchmark,
        spans.kind,
        spans.close as level,
        sessions.session_no != spans.session_no as is_filled,
        spans.known_at,
    from spans
    join pit.sessions as sessions
        on sessions.session_no >= spans.session_no
        and sessions.session_no < coalesce(least(spans.next_no, spans.session_no + 6), spans.session_no + 6)
)

select
    date,
    session_no,
    benchmark,
    kind,
    level,
    if(
        session_no - lag(session_no) over sessions = 1,
        level / nullif(lag(level) over sessions, 0) - 1,
        null
    ) as ret,
    is_filled,
    known_at,
from on_sessions
window sessions as (partition by benchmark, kind order by session_no)
