/*---
interval: [known_from, known_to]
grain: [date, known_from]
knowable: "cast(timezone('Asia/Kolkata', known_to) as date)"
order: [date, known_from]
checks:
  - "known_from < known_to"
  - "status in ('trading', 'holiday', 'weekend', 'special', 'short', 'settlement_holiday')"
  - "trades or status in ('holiday', 'weekend')"
  - "basis in ('announced', 'implied')"
columns:
  date: {type: DATE, doc: "the day spoken of; days nobody spoke of have no row"}
  known_from: {type: TIMESTAMPTZ, doc: "when this was announced; where no time is on file, the morning of the day itself"}
  known_to: {type: TIMESTAMPTZ, doc: "when another announcement took its place; 9999-12-31 while none has"}
  status: {type: VARCHAR, doc: "trading, holiday, weekend, special (a full session on a day that is usually shut), short (Muhurat, drill) or settlement_holiday (traded, not settled)"}
  trades: {type: BOOLEAN, doc: "a session of any kind"}
  settles: {type: BOOLEAN, doc: "pay-in and pay-out happen"}
  name: {type: VARCHAR, doc: "what the day is called"}
  window_ist: {type: VARCHAR, doc: "trading hours where they are not the usual ones, Asia/Kolkata"}
  basis: {type: VARCHAR, doc: "announced, or implied: a day of a year whose list of holidays is out and does not name it"}
  source: {type: VARCHAR, doc: "number of the circular, or where it was read"}
---
One row is one version of what was announced of a day, in force in `[known_from, known_to)`: 15 January 2026 was a trading day by the list of
12 December 2025 and a holiday from 12 January 2026. What traded in the end is `pit.sessions`; where the two differ is `health.calendar_faults`.
An announcement that names five or more holidays of a year at once is taken as that year's list: weekdays it does not name are implied to trade,
weekends to be shut. Source: `raw.calendar`.
*/
with announced as (
    select
        date,
        known_at as known_from,
        status,
        coalesce(settles, status = 'trading') as settles,
        name,
        window_ist,
        source,
        'announced' as basis,
    from raw.calendar
    {{ newest_of('date, known_at', 'status, settles, name, window_ist, source') }}
),

named as (
    select
        year(date) as year,
        known_from,
    from announced
    where status = 'holiday'
    group by all
    having count(*) >= 5
),

lists as (
    select
        year,
        min(known_from) as known_from,
    from named
    group by year
),

days as (
    select
        known_from,
        cast(unnest(generate_series(make_date(year, 1, 1), make_date(year, 12, 31), interval 1 day)) as date) as date,
    from lists
),

said as (
    select date, known_from, status, settles, name, window_ist, source, basis
    from announced
    union all
    select
        days.date,
        days.known_from,
        if(isodow(days.date) <= 5, 'trading', 'weekend'),
        isodow(days.date) <= 5,
        null,
        null,
        null,
        'implied',
    from days
    where not exists (
        select 1 from announced where announced.date = days.date and announced.known_from <= days.known_from
    )
)

select
    date,
    known_from,
    lead(known_from, 1, timestamptz '9999-12-31 00:00:00+00') over (partition by date order by known_from) as known_to,
    status,
    status not in ('holiday', 'weekend') as trades,
    settles,
    name,
    window_ist,
    basis,
    source,
from said
