/*---
date: null
grain: [security_id, period_end, kind]
interval: [from_date, to_date]
references: {security_id: pit.securities.security_id}
knowable: to_date
order: [security_id, from_date]
checks:
  - "kind in ('due', 'out')"
  - "from_date < to_date"
  - "kind = 'out' or expected_on is not null"
columns:
  security_id: {type: BIGINT, doc: "pit.securities"}
  period_end: {type: DATE, doc: "last day of the quarter whose results they are, as the last day of its month"}
  kind: {type: VARCHAR, doc: "due: results are expected any day; out: they have just come"}
  from_date: {type: DATE, doc: "first date whose decision is in the window"}
  to_date: {type: DATE, doc: "first date that is no longer: the results came, the waiting is over, or they are old news"}
  expected_on: {type: DATE, doc: "day of the same quarter a year before, where that was known, else of the newest quarter, carried to this one"}
---
One row is a stretch of days around a company's quarterly results. When they are expected is told by when they came before, never by when they came
in the end: a window opens `event_before_days` before the expected day and ends when the results are out, or after `event_wait_days` more. The days
after results (`event_after_days`) are a window of their own. An overlay makes a multiplier of it (event_weight of config.risk).
*/
with filed as (
    select
        security_id,
        last_day(period_end) as period_end,
        min(known_from) as known_from,
    from pit.filings
    where period_end - period_start between 80 and 100
    group by all
),

results as (
    select
        security_id,
        period_end,
        known_from,
        {{ ist_date('known_from') }} as came_on,
        {{ decision_date('known_from') }} as seen_on,
    from filed
    -- a quarter that turns up when a later one was known is no news
    qualify known_from < coalesce(
        min(known_from) over (partition by security_id order by period_end rows between 1 following and unbounded following),
        timestamptz '9999-12-31 00:00:00+00'
    )
),

expected as (
    select
        results.security_id,
        results.seen_on,
        last_day(results.period_end + interval 3 month) as period_end,
        last_day(results.period_end + interval 3 month)
        + least(greatest(coalesce(ago.came_on - ago.period_end, results.came_on - results.period_end), 0), 120)::integer as expected_on,
    from results
    left join results as ago
        on ago.security_id = results.security_id
        and ago.period_end = last_day(results.period_end - interval 9 month)
        and ago.known_from <= results.known_from
),

due as (
    select
        expected.security_id,
        expected.period_end,
        'due' as kind,
        greatest(expected.expected_on - {{ event_before_days }}, expected.seen_on) as from_date,
        least(expected.expected_on + {{ event_wait_days }} + 1, coalesce(results.seen_on, date '9999-12-31')) as to_date,
        expected.expected_on,
    from expected
    left join results on results.security_id = expected.security_id and results.period_end = expected.period_end
)

select
    security_id,
    period_end,
    kind,
    from_date,
    to_date,
    expected_on,
from due
where from_date < to_date
union all
select
    results.security_id,
    results.period_end,
    'out' as kind,
    results.seen_on as from_date,
    results.seen_on + {{ event_after_days }} + 1 as to_date,
    due.expected_on,
from results
left join due on due.security_id = results.security_id and due.period_end = results.period_end
