/*---
date: date
grain: [date]
knowable: date
order: [date]
checks:
  - "session_no > 0"
  - "kind in ('normal', 'special', 'short')"
  - "is_short = (kind = 'short')"
  - name: numbered_without_gaps
    query: "select max(session_no) from pit.sessions having max(session_no) != count(*)"
columns:
  date: {type: DATE, doc: "trade date"}
  session_no: {type: INTEGER, doc: "running number from 1"}
  normal_no: {type: INTEGER, doc: "running number of the sessions that are not short; null on a short one"}
  kind: {type: VARCHAR, doc: "normal, special (a full session at a weekend) or short (Muhurat, disaster-recovery drill)"}
  is_short: {type: BOOLEAN, doc: "kept out of volume and volatility windows, and no day to decide on"}
  n_securities: {type: INTEGER, doc: "rows of the fullest source of the day"}
  turnover_inr: {type: DOUBLE, unit: inr, doc: "value traded in it"}
  is_week_end: {type: BOOLEAN, doc: "the evening on which the ISO week is known to be over"}
  is_month_end: {type: BOOLEAN, doc: "the evening on which the month is known to be over"}
  is_quarter_end: {type: BOOLEAN, doc: "the evening on which the quarter is known to be over"}
---
One row is one trading session, derived from what traded: packaged calendars miss every weekend and Muhurat session. Known at its evening.
A day with far fewer rows than the sessions before it is a stray file, not a session. Short sessions are told by a turnover far below the
median of the sessions *before* them (0.04–0.23 of it; full weekend sessions 0.75 and more).
A period ends on the last session after which no weekday of it is left. Where a holiday takes its last weekday, nobody could know from the data
alone that the period was over: the flag then falls on the first session after it, never on a day known to be last only by hindsight.
*/
with compared as (
    select
        *,
        median(n_securities) over past as usual_securities,
        median(turnover_inr) over past as usual_turnover_inr,
    from pit.days
    window past as (order by date rows between {{ session_lookback_sessions }} preceding and 1 preceding)
),

sessions as (
    select
        *,
        row_number() over (order by date) as session_no,
        coalesce(turnover_inr < usual_turnover_inr * {{ short_session_turnover_pct }} / 100, false) as is_short,
    from compared
    where coalesce(n_securities >= usual_securities * {{ session_min_securities_pct }} / 100, true)
),

-- weekdays left in the period after this session
ends as (
    select
        date,
        row_number() over (order by date) as normal_no,
        isodow(date) >= 5 as week_over,
        date >= last_day(date) - greatest(isodow(last_day(date)) - 5, 0)::integer as month_over,
        month(date) % 3 = 0 as last_month_of_quarter,
    from sessions
    where not is_short
),

before as (
    select
        *,
        lag(date) over calendar as past_date,
        lag(week_over) over calendar as past_week_over,
        lag(month_over) over calendar as past_month_over,
    from ends
    window calendar as (order by date)
),

periods as (
    select
        *,
        date_trunc('week', date) = date_trunc('week', past_date) as same_week,
        date_trunc('month', date) = date_trunc('month', past_date) as same_month,
        date_trunc('quarter', date) = date_trunc('quarter', past_date) as same_quarter,
    from before
)

select
    sessions.date,
    sessions.session_no::integer as session_no,
    periods.normal_no::integer as normal_no,
    case when sessions.is_short then 'short' when isodow(sessions.date) >= 6 then 'special' else 'normal' end as kind,
    sessions.is_short,
    sessions.n_securities::integer as n_securities,
    sessions.turnover_inr,
    -- over now and not before; or noticed only now that the last period is gone
    coalesce(if(same_week, week_over and not past_week_over, week_over or not past_week_over), false) as is_week_end,
    coalesce(if(same_month, month_over and not past_month_over, month_over or not past_month_over), false) as is_month_end,
    coalesce(
        if(
            same_quarter,
            month_over and last_month_of_quarter and not (past_month_over and same_month),
            month_over and last_month_of_quarter or not past_month_over
        ),
        false
    ) as is_quarter_end,
from sessions
left join periods using (date)
