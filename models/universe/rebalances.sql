/*---
grain: [date]
order: [date]
checks:
  - "is_week_end or is_month_end or is_quarter_end or is_last"
knowable: "if(is_week_end or is_month_end or is_quarter_end, date, date '9999-12-31')"
columns:
  date: {type: DATE, doc: "decision date"}
  session_no: {type: INTEGER, doc: "number of the session"}
  normal_no: {type: INTEGER, doc: "number of the session among those that are not short"}
  is_week_end: {type: BOOLEAN, doc: "the ISO week is known to be over"}
  is_month_end: {type: BOOLEAN, doc: "the month is known to be over"}
  is_quarter_end: {type: BOOLEAN, doc: "the quarter is known to be over"}
  is_last: {type: BOOLEAN, doc: "the newest session that is not short"}
---
One row is a date on which some portfolio of config.portfolios decides, and the newest session, so that today's picture is always there.
Short sessions decide nothing. The newest session moves with the data: a row that is here only because it is newest is never final.
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
        *,
        normal_no = max(normal_no) over () as is_last,
    from pit.sessions
    where not is_short
)

select
    sessions.date,
    sessions.session_no,
    sessions.normal_no,
    sessions.is_week_end,
    sessions.is_month_end,
    sessions.is_quarter_end,
    sessions.is_last,
from sessions
cross join wanted
where sessions.is_last
    or sessions.is_week_end and wanted.weekly
    or sessions.is_month_end and wanted.monthly
    or sessions.is_quarter_end and wanted.quarterly
