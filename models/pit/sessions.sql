/*---
date: date
grain: [date]
knowable: date
order: [date]
checks:
  - "session_no > 0"
  - "kind in ('normal', 'special', 'short')"
  - "is_short = (kind = 'short')"
  - "basis in ('list', 'traded')"
  - name: numbered_without_gaps
    query: "select max(session_no) from pit.sessions having max(session_no) != count(*)"
columns:
  date: {type: DATE, doc: "trade date"}
  session_no: {type: INTEGER, doc: "running number from 1"}
  normal_no: {type: INTEGER, doc: "running number of the sessions that are not short; null on a short one"}
  kind: {type: VARCHAR, doc: "normal, special (a full session at a weekend, or on another day that is usually shut) or short (Muhurat, disaster-recovery drill)"}
  is_short: {type: BOOLEAN, doc: "kept out of volume and volatility windows, and no day to decide on"}
  name: {type: VARCHAR, doc: "what it was called by its evening: muhurat, dr_drill, budget, …; null for a session nobody gave a name"}
  basis: {type: VARCHAR, doc: "what says whether it is short: list (config.special_sessions or the announced calendar) or traded (its turnover)"}
  n_securities: {type: INTEGER, doc: "rows of the fullest source of the day"}
  turnover_inr: {type: DOUBLE, unit: inr, doc: "value traded in it"}
  is_week_end: {type: BOOLEAN, doc: "the evening on which the ISO week is known to be over"}
  is_month_end: {type: BOOLEAN, doc: "the evening on which the month is known to be over"}
  is_quarter_end: {type: BOOLEAN, doc: "the evening on which the quarter is known to be over"}
  known_at: {type: TIMESTAMPTZ, doc: "when its prices were known"}
---
One row is one trading session, derived from what traded: packaged calendars miss every weekend and Muhurat session. Known at its evening.
A day with far fewer rows than the sessions before it is a stray file, not a session.

Short sessions are told by a turnover far below the median of the days *before* them (0.09–0.29 of it; full weekend sessions 0.75 and more) and
by what had been announced of the day by then, `config.special_sessions` or `pit.calendar`, whichever spoke last. Within
`session_list_margin_pct` points of `short_session_turnover_pct` the announcement decides, beyond them what traded: a drill that became a full
session is full even where nobody told the list, and a Muhurat of high spirits stays short. Without a day before it, the announcement alone
decides.

A period ends on the last session after which no day of it will trade, by the announced calendar, or by weekday where it is silent. Where a
holiday that nobody had announced takes its last day, the flag falls on the first session after it, never on a day known to be last only by
hindsight.
*/
with compared as (
    select
        *,
        median(n_securities) over past as usual_securities,
        median(turnover_inr) over past as usual_turnover_inr,
    from pit.days
    window past as (order by date rows between {{ session_lookback_sessions }} preceding and 1 preceding)
),

-- what was said of a day, and when
listed as (
    select
        date,
        timezone('Asia/Kolkata', cast(known_on as timestamp)) as known_from,
        kind as name,
        is_short,
        1 as place,
    from config.special_sessions
    union all
    select
        date,
        known_from,
        coalesce(name, status),
        status = 'short',
        2,
    from pit.calendar
    where status in ('special', 'short')
),

expected as (
    select
        compared.date,
        listed.name,
        listed.is_short,
    from compared
    join listed on listed.date = compared.date and listed.known_from <= compared.known_at
    qualify row_number() over (partition by compared.date order by listed.known_from desc, listed.place, listed.is_short) = 1
),

judged as (
    select
        compared.*,
        expected.name,
        expected.is_short as said_short,
        case
            when expected.is_short
                then coalesce(
                    turnover_inr < usual_turnover_inr * {{ short_session_turnover_pct + session_list_margin_pct }} / 100, true
                )
            when not expected.is_short
                then coalesce(
                    turnover_inr < usual_turnover_inr * {{ short_session_turnover_pct - session_list_margin_pct }} / 100, false
                )
            else coalesce(turnover_inr < usual_turnover_inr * {{ short_session_turnover_pct }} / 100, false)
        end as is_short,
    from compared
    left join expected using (date)
),

sessions as (
    select
        *,
        row_number() over (order by date) as session_no,
    from judged
    where coalesce(n_securities >= usual_securities * {{ session_min_securities_pct }} / 100, true)
),

-- days left in the week and in the month after this session, and whether they will trade full hours, as far as was known
ahead as (
    select
        sessions.date,
        sessions.known_at,
        cast(unnest(generate_series(
            sessions.date + 1,
            greatest(last_day(sessions.date), sessions.date + 7 - isodow(sessions.date)::integer),
            interval 1 day
        )) as date) as day,
    from sessions
    where not sessions.is_short
),

left_over as (
    select
        ahead.date,
        bool_or(date_trunc('week', ahead.day) = date_trunc('week', ahead.date)) as in_week,
        bool_or(date_trunc('month', ahead.day) = date_trunc('month', ahead.date)) as in_month,
    from ahead
    left join pit.calendar as calendar
        on calendar.date = ahead.day and calendar.known_from <= ahead.known_at and ahead.known_at < calendar.known_to
    where coalesce(calendar.trades and calendar.status != 'short', isodow(ahead.day) <= 5)
    group by ahead.date
),

ends as (
    select
        sessions.date,
        row_number() over (order by sessions.date) as normal_no,
        not coalesce(left_over.in_week, false) as week_over,
        not coalesce(left_over.in_month, false) as month_over,
        month(sessions.date) % 3 = 0 as last_month_of_quarter,
    from sessions
    left join left_over using (date)
    where not sessions.is_short
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
    case
        when sessions.is_short then 'short'
        when isodow(sessions.date) >= 6 or sessions.said_short is not null then 'special'
        else 'normal'
    end as kind,
    sessions.is_short,
    sessions.name,
    if(sessions.said_short = sessions.is_short, 'list', 'traded') as basis,
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
    sessions.known_at,
from sessions
left join periods using (date)
