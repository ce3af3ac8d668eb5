/*---
kind: incremental
date: date
look_back: 1
grain: [date]
checks:
  - {query: "select date from health.sessions_missing", level: warn, name: sessions_are_missing}
columns:
  date: {type: DATE, doc: "first session after the gap"}
  last_date: {type: DATE, doc: "last session before the gap"}
  n_broken: {type: BIGINT, unit: count, doc: "names whose printed previous close is not our last close"}
  n_compared: {type: BIGINT, unit: count, doc: "names with a print in both sessions"}
  share_broken: {type: DOUBLE, unit: ratio, doc: "n_broken / n_compared"}
  announced: {type: VARCHAR, doc: "days between that the list of special sessions or the calendar names as sessions; null where neither does"}
  candidates: {type: VARCHAR, doc: "days between that may have traded: announced ones first, then weekdays; without announced holidays"}
---
One row is a gap: between two sessions of ours the exchange traded at least once more, as most printed previous closes are not our last ones
(dropping one session breaks 84–98 % of names; a normal session breaks none). Adjacent missing sessions show as one gap.
Where the calendar was announced, `health.calendar_faults` finds missing sessions without prices of the next one.
Returns over a gap span more than one session of the exchange; they are kept, as market and names share them.
*/
with compared as (
    select
        returns.session_no,
        count(*) as n_compared,
    from pit.returns as returns
    where returns.sessions_since_last = 1
    group by returns.session_no
),

broken as (
    select
        session_no,
        count(*) as n_broken,
    from health.price_breaks
    where is_market_wide
    group by session_no
),

gaps as (
    select
        sessions.date,
        (select max(past.date) from pit.sessions as past where past.date < sessions.date) as last_date,
        broken.n_broken,
        compared.n_compared,
    from broken
    join compared using (session_no)
    join pit.sessions as sessions using (session_no)
),

inside as (
    select
        date,
        cast(unnest(generate_series(last_date + 1, date - 1, interval 1 day)) as date) as day,
    from gaps
),

said as (
    select date, known_on, true as trades
    from config.special_sessions
    union all
    select date, {{ decision_date('known_from') }}, trades
    from pit.calendar
    where basis = 'announced'
),

-- what had been said of a day by the end of the gap
heard as (
    select
        inside.date,
        inside.day,
        last(said.trades order by said.known_on, said.trades) as trades,
    from inside
    left join said on said.date = inside.day and said.known_on <= inside.date
    group by inside.date, inside.day
),

days as (
    select
        date,
        string_agg(strftime(day, '%Y-%m-%d %a'), ', ' order by day) filter (trades) as announced,
        string_agg(
            strftime(day, '%Y-%m-%d %a'),
            ', '
            order by trades is null, isodow(day) >= 6, day
        ) filter (trades is distinct from false) as candidates,
    from heard
    group by date
)

select
    gaps.date,
    gaps.last_date,
    gaps.n_broken,
    gaps.n_compared,
    gaps.n_broken / gaps.n_compared as share_broken,
    days.announced,
    days.candidates,
from gaps
left join days using (date)
