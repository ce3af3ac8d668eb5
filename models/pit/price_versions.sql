/*---
kind: incremental
date: date
look_back: 0
grain: [date, security_id, known_from]
references: {security_id: pit.identities.security_id}
knowable: "date '9999-12-31'"
order: [date, security_id, known_from]
checks:
  - "known_from < known_to"
  - "seen_on <= seen_to"
  - "close > 0"
columns:
  date: {type: DATE, doc: "trade date"}
  session_no: {type: INTEGER, doc: "number of the session"}
  security_id: {type: BIGINT, doc: "the security"}
  kind: {type: VARCHAR, doc: "equity, sme, etf, entitlement, partly_paid, reit, invit, debt, other"}
  ticker: {type: VARCHAR, doc: "symbol printed that day"}
  isin: {type: VARCHAR, doc: "ISIN printed that day"}
  name: {type: VARCHAR, doc: "company name where the format prints it"}
  series: {type: VARCHAR, doc: "the main series of the day"}
  open: {type: DOUBLE, unit: inr, doc: "first trade"}
  high: {type: DOUBLE, unit: inr, doc: "highest trade"}
  low: {type: DOUBLE, unit: inr, doc: "lowest trade"}
  close: {type: DOUBLE, unit: inr, doc: "official close, never adjusted"}
  prev_close: {type: DOUBLE, unit: inr, doc: "previous close as printed"}
  volume: {type: BIGINT, unit: shares, doc: "shares traded"}
  turnover_inr: {type: DOUBLE, unit: inr, doc: "value traded"}
  deliverable_qty: {type: BIGINT, unit: shares, doc: "shares marked for delivery"}
  known_at: {type: TIMESTAMPTZ, doc: "known_from"}
  known_from: {type: TIMESTAMPTZ, doc: "when this version came into force"}
  known_to: {type: TIMESTAMPTZ, doc: "when another took its place, or the row was withdrawn; 9999-12-31 while it stands"}
  seen_on: {type: DATE, doc: "first date whose decision could use this version"}
  seen_to: {type: DATE, doc: "first date whose decision sees another; 9999-12-31 while none does"}
---
One row is a version of one security's print, for those days of which something became known at more than one moment: late rows, corrections,
withdrawn rows. A version is in force in `[known_from, known_to)`; a copy that says the same opens none. All other days have one version, in
pit.prices alone. It grows when a correction arrives, so no row of it is final; pit.prices_at shows what was known at a time.
*/
with versioned as (
    select date
    from raw.prices
    group by date
    having min(known_at) != max(known_at)
),

moments as (
    select
        date,
        moment,
        lead(moment, 1, timestamptz '9999-12-31 00:00:00+00') over (partition by date order by moment) as next_moment,
    from (select distinct date, known_at as moment from raw.prices where date in (select date from versioned))
),

-- the day as each moment knew it
known as (
    select moments.moment, prices.*
    from raw.prices as prices
    -- lint: allow time_join: few days have more than one moment, and each shows all that was known by then
    join moments on moments.date = prices.date and prices.known_at <= moments.moment
),

chosen as (
    {{ chosen_prints('known', 'moment, date, symbol, series') }}
),

mapped as (
    {{ prints_of_securities('chosen', 'chosen.moment,') }}
),

main_lines as (
    select *
    from mapped
    qualify row_number() over (partition by moment, security_id, session_no order by {{ main_line_first() }}) = 1
),

-- a moment at which the row is not what it was the moment before
compared as (
    select
        main_lines.* exclude (moment, known_at),
        main_lines.moment,
        moments.next_moment,
        coalesce(
            lag(moments.next_moment) over versions = main_lines.moment
            and (kind, ticker, isin, name, series, open, high, low, close, prev_close, volume, turnover_inr, deliverable_qty)
                is not distinct from lag((kind, ticker, isin, name, series, open, high, low, close, prev_close, volume, turnover_inr, deliverable_qty))
                    over versions,
            false
        ) as is_same,
    from main_lines
    join moments on moments.date = main_lines.date and moments.moment = main_lines.moment
    window versions as (partition by main_lines.date, main_lines.security_id order by main_lines.moment)
),

numbered as (
    select
        *,
        count(*) filter (where not is_same) over (partition by date, security_id order by moment rows unbounded preceding) as version,
    from compared
),

versions as (
    select
        date,
        security_id,
        any_value(session_no) as session_no,
        arg_min(kind, moment) as kind,
        arg_min(ticker, moment) as ticker,
        arg_min_null(isin, moment) as isin,
        arg_min_null(name, moment) as name,
        arg_min(series, moment) as series,
        arg_min_null(open, moment) as open,
        arg_min_null(high, moment) as high,
        arg_min_null(low, moment) as low,
        arg_min(close, moment) as close,
        arg_min_null(prev_close, moment) as prev_close,
        arg_min_null(volume, moment) as volume,
        arg_min_null(turnover_inr, moment) as turnover_inr,
        arg_min_null(deliverable_qty, moment) as deliverable_qty,
        min(moment) as known_from,
        max(next_moment) as known_to,
    from numbered
    group by date, security_id, version
)

select
    date,
    session_no,
    security_id,
    kind,
    ticker,
    isin,
    name,
    series,
    open,
    high,
    low,
    close,
    prev_close,
    volume,
    turnover_inr,
    deliverable_qty,
    known_from as known_at,
    known_from,
    known_to,
    {{ seen_on('known_from', 'date') }} as seen_on,
    if(known_to = timestamptz '9999-12-31 00:00:00+00', date '9999-12-31', {{ seen_on('known_to', 'date') }}) as seen_to,
from versions
