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
weekends to be shut. What is withdrawn falls back to the list, or to silence. Source: `raw.calendar`.
*/
with announced as (
    select
        date,
        known_at as known_from,
        coalesce(is_withdrawn, false) as is_withdrawn,
        status,
        coalesce(settles, status = 'trading') as settles,
        name,
        window_ist,
        source,
        'announced' as basis,
    from raw.calendar
    qualify row_number() over (
        partition by date, known_at
        order by is_withdrawn desc nulls last, source_rank, (status, settles, name, window_ist, source) desc
    ) = 1
),

named as (
    select
        year(date) as year,
        known_from,
    from announced
    where status = 'holiday' and not is_withdrawn
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

-- the list speaks of a day from its own announcement on, and again when what was said of the day is withdrawn
implied as (
    select
        days.date,
        days.known_from,
    from days
    where not exists (
        select 1 from announced where announced.date = days.date and announced.known_from <= days.known_from
    )
    union all
    select
        announced.date,
        announced.known_from,
    from announced
    join days on days.date = announced.date and days.known_from <= announced.known_from
    where announced.is_withdrawn
),

said as (
    select date, known_from, status, settles, name, window_ist, source, basis
    from announced
    where not is_withdrawn
    union all
    select
        date,
        known_from,
        if(isodow(date) <= 5, 'trading', 'weekend'),
        isodow(date) <= 5,
        null,
        null,
        null,
        'implied',
    from implied
    union all
    -- nobody says anything of the day any more
    select
        date,
        known_from,
        null,
        null,
        null,
        null,
        null,
        null,
    from announced
    where is_withdrawn and not exists (
        select 1 from days where days.date = announced.date and days.known_from <= announced.known_from
    )
),

versions as (
    select
        *,
        lead(known_from, 1, timestamptz '9999-12-31 00:00:00+00') over (partition by date order by known_from) as known_to,
    from said
)

select
    date,
    known_from,
    known_to,
    status,
    status not in ('holiday', 'weekend') as trades,
    settles,
    name,
    window_ist,
    basis,
    source,
from versions
where status is not null
