/*---
date: date
grain: [date]
references: {date: pit.sessions.date}
knowable: date
order: [date]
checks:
  - "settles_on >= date"
  - "early_settles_on is null or early_settles_on <= settles_on"
  - "basis in ('announced', 'weekdays')"
columns:
  date: {type: DATE, doc: "trade date"}
  session_no: {type: INTEGER, doc: "number of the session"}
  known_at: {type: TIMESTAMPTZ, doc: "when the session was known; announcements after it change nothing here"}
  cycle: {type: VARCHAR, doc: "T+1, T+2 or T+3: the cycle of every security that no narrower scope names"}
  settles_on: {type: DATE, doc: "day of pay-in and pay-out: so many settlement days after the trade date as the cycle says"}
  basis: {type: VARCHAR, doc: "announced: the calendar spoke of every day up to settles_on; weekdays: of some it did not, and they count as settling from Monday to Friday"}
  early_cycle: {type: VARCHAR, doc: "the shorter cycle while it is phased in; null when there is none"}
  early_settles_on: {type: DATE, doc: "settlement of the securities that have it"}
  early_scope: {type: VARCHAR, doc: "which securities these are; no table of tsq knows them by name"}
---
One row is the settlement of the trades of one session, by the cycle in force that day and the calendar as it was known that evening: a holiday
called after the trade moves the settlement and not this row. Settlement days are not sessions: on a settlement holiday and at weekends trades
are made and none are settled. Settlement on the day itself (T+0) is optional and left out. Source: config/settlement_cycle.csv, pit.calendar.
*/
with cycles as (
    select
        sessions.date,
        max_by(cycle.settlement_days, cycle.from_trade_date) filter (cycle.scope = 'all') as settlement_days,
        max_by(cycle.settlement_days, cycle.from_trade_date) filter (cycle.scope = 'some') as early_days,
        max_by(cycle.detail, cycle.from_trade_date) filter (cycle.scope = 'some') as early_scope,
    from pit.sessions as sessions
    join config.settlement_cycle as cycle
        on cycle.from_trade_date <= sessions.date and coalesce(cycle.known_on, cycle.from_trade_date) <= sessions.date
    group by sessions.date
),

-- longer than any run of days without settlement, and cheap
days as (
    select
        sessions.date,
        sessions.known_at,
        sessions.date + cast(ahead.days as integer) as day,
    from pit.sessions as sessions
    cross join range(1, 22) as ahead (days)
),

settling as (
    select
        days.date,
        days.day,
        coalesce(calendar.settles, isodow(days.day) <= 5) as settles,
        calendar.date is not null as is_announced,
    from days
    left join pit.calendar as calendar
        on calendar.date = days.day and calendar.known_from <= days.known_at and days.known_at < calendar.known_to
),

counted as (
    select
        date,
        day,
        settles,
        count_if(settles) over so_far as n_settling,
        bool_and(is_announced) over so_far as is_announced,
    from settling
    window so_far as (partition by date order by day rows between unbounded preceding and current row)
)

select
    sessions.date,
    sessions.session_no,
    sessions.known_at,
    'T+' || cycles.settlement_days as cycle,
    min(counted.day) filter (counted.n_settling = cycles.settlement_days) as settles_on,
    if(
        bool_and(counted.is_announced) filter (counted.n_settling = cycles.settlement_days and counted.settles),
        'announced',
        'weekdays'
    ) as basis,
    if(cycles.early_days < cycles.settlement_days, 'T+' || cycles.early_days, null) as early_cycle,
    if(
        cycles.early_days < cycles.settlement_days,
        min(counted.day) filter (counted.n_settling = cycles.early_days),
        null
    ) as early_settles_on,
    if(cycles.early_days < cycles.settlement_days, cycles.early_scope, null) as early_scope,
from pit.sessions as sessions
join cycles on cycles.date = sessions.date
join counted on counted.date = sessions.date
group by sessions.date, sessions.session_no, sessions.known_at, cycles.settlement_days, cycles.early_days, cycles.early_scope
