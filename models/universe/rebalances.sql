/*---
grain: [date]
order: [date]
checks:
  - "is_week_end or is_month_end or is_quarter_end or is_last"
  - name: decision_time_is_between_18_30_and_20_00
    query: >-
      select {{ decision_time_ist }} as decision_time_ist where cast({{ decision_time_ist }} as time) not between time '18:30' and time '20:00'
knowable: "case when is_last then date '9999-12-31' else date end"
columns:
  date: {type: DATE, doc: "decision date"}
  session_no: {type: INTEGER, doc: "number of the session"}
  normal_no: {type: INTEGER, doc: "number of the session among those that are not short"}
  is_week_end: {type: BOOLEAN, doc: "the ISO week is known to be over"}
  is_month_end: {type: BOOLEAN, doc: "the month is known to be over"}
  is_quarter_end: {type: BOOLEAN, doc: "the quarter is known to be over"}
  is_last: {type: BOOLEAN, doc: "no portfolio decides on it: it is here only as the newest session that is not short"}
---
One row is a date on which some portfolio of config.portfolios decides, and the newest session, so that today's picture is always there.
Short sessions decide nothing. A row that is here only as
the newest session leaves with the next one, so neither it nor what is computed for its date is ever final.
*/
with wanted as (
    select
        coalesce(bool_or(rebalance = 'WE'), false) as weekly,
        coalesce(bool_or(rebalance = 'ME'), false) as monthly,
        coalesce(bool_or(rebalance = 'QE'), false) as quarterly,
    from config.portfolios
),

sessions as (
    select
        sessions.*,
        (sessions.is_week_end and wanted.weekly)
            or (sessions.is_month_end and wanted.monthly)
            or (sessions.is_quarter_end and wanted.quarterly) as is_wanted,
        sessions.normal_no = max(sessions.normal_no) over () as is_newest,
    from pit.sessions as sessions
    cross join wanted
    where not sessions.is_short
)

select
    date,
    session_no,
    normal_no,
    is_week_end,
    is_month_end,
    is_quarter_end,
    not is_wanted as is_last,
from sessions
where is_wanted or is_newest
