/*---
grain: [symbol, line, isin, first_date]
interval: [first_date, to_date]
knowable: seen_on
checks:
  - "seen_on >= first_date"
  - "from_date <= first_date and first_date < to_date"
columns:
  node: {type: BIGINT, doc: "number of this name, in the order of first sights"}
  symbol: {type: VARCHAR, doc: "ticker as printed"}
  line: {type: VARCHAR, doc: "share, or the series of an instrument beside it"}
  isin: {type: VARCHAR, doc: "ISIN as printed; '' for a run of rows without one"}
  first_date: {type: DATE, doc: "session of its first print, as known at first sight"}
  seen_on: {type: DATE, doc: "first sight: the date whose decision could first use a print of it; first_date unless that came late"}
  from_date: {type: DATE, doc: "prints of this symbol, line and ISIN are meant from this date on; 1900-01-01 for the first run of them"}
  to_date: {type: DATE, doc: "and before this one: where the next run without an ISIN begins"}
  prev_close: {type: DOUBLE, unit: inr, doc: "previous close printed beside the first print"}
  known_at: {type: TIMESTAMPTZ, doc: "when its first print was known"}
---
One row is one printed name (symbol, line, ISIN) at its first sight: what pit.identities tells securities by. Known on `seen_on`.
Rows without an ISIN (before 2011-06-22, and in sec_bhavdata_full) form runs of a symbol. A run ends with a long silence, or when the symbol comes
back a month and more after the list of changes took it away. What a file brings late and lies before something known begins no run. A print that is
taken back later was seen all the same, so its name stays.
*/
{% set moved_away_days = 31 -%}
-- lines are told of a few thousand series, not of every row
with series_printed as (
    select symbol, series, isin, min(date) as first_date
    from raw.prices
    where isin is not null and is_withdrawn is not true
    group by all
),

sights as (
    select
        prices.symbol,
        prices.series,
        prices.isin,
        {{ seen_on('prices.known_at', 'prices.date') }} as seen_on,
        prices.date,
        prices.known_at,
        prices.prev_close,
    from series_printed as firsts
    join raw.prices as prices
        on prices.symbol = firsts.symbol
        and prices.series = firsts.series
        and prices.isin = firsts.isin
        and prices.date = firsts.first_date
    where prices.is_withdrawn is not true
),

-- where the oldest print came late, another may have been seen before it
sights_after as (
    select
        prices.symbol,
        prices.series,
        prices.isin,
        {{ seen_on('prices.known_at', 'prices.date') }} as seen_on,
        prices.date,
        prices.known_at,
        prices.prev_close,
    from raw.prices as prices
    semi join (select symbol, series, isin from sights group by all having min(seen_on) > min(date)) as doubtful
        on doubtful.symbol = prices.symbol and doubtful.series = prices.series and doubtful.isin = prices.isin
    where prices.is_withdrawn is not true
),

printed as (
    select
        symbol,
        {{ line_of('series') }} as line,
        isin,
        min((seen_on, date, known_at)) as sight,
        arg_min(prev_close, (seen_on, date, known_at, series)) as prev_close,
    from (from sights union all from sights_after)
    group by all
),

unnamed as (
    select
        symbol,
        {{ line_of('series') }} as line,
        date,
        min(known_at) as known_at,
        arg_min(prev_close, (known_at, series)) as prev_close,
    from raw.prices
    where isin is null and is_withdrawn is not true
    group by all
),

seen as (
    select *, {{ seen_on('known_at', 'date') }} as seen_on from unnamed
),

walked as (
    select
        *,
        lag(date) over dates as past_date,
        lag(seen_on) over dates as past_seen_on,
        min(seen_on) over (dates rows between 1 following and unbounded following) as later_seen_on,
    from seen
    window dates as (partition by symbol, line order by date)
),

changes as (
    {{ listed_changes() }}
),

-- the print before a pause, as known at the end of it: a file that came later shortened no silence
pauses as (
    select
        walked.symbol,
        walked.line,
        walked.date,
        any_value(walked.seen_on) as seen_on,
        any_value(walked.known_at) as known_at,
        any_value(walked.prev_close) as prev_close,
        max(older.date) as past_date,
    from walked
    left join walked as older
        on older.symbol = walked.symbol
        and older.line = walked.line
        -- lint: allow time_join: all that was printed of the symbol before
        and older.date < walked.date
        and older.seen_on <= walked.seen_on
    -- what comes late and lies before something known begins nothing
    where coalesce(walked.later_seen_on >= walked.seen_on, true)
        and (
            walked.past_date is null
            or walked.past_date < walked.date - {{ [moved_away_days, identity_gap_days] | min }}
            or walked.past_seen_on > walked.seen_on
        )
    group by walked.symbol, walked.line, walked.date
),

runs as (
    select *, row_number() over (partition by symbol, line order by date) as run_no
    from pauses
    where past_date is null
        or past_date < date - {{ identity_gap_days }}
        or (
            past_date < date - {{ moved_away_days }}
            and exists (
                select 1
                from changes
                where changes.old_symbol = pauses.symbol
                    and changes.effective_date > pauses.past_date and changes.effective_date <= pauses.date
                    and changes.seen_on <= pauses.seen_on and pauses.seen_on < changes.gone_on
            )
        )
),

names as (
    select
        symbol,
        line,
        isin,
        sight[2] as first_date,
        sight[1] as seen_on,
        sight[3] as known_at,
        date '1900-01-01' as from_date,
        date '9999-12-31' as to_date,
        prev_close,
    from printed
    union all
    select
        symbol,
        line,
        '' as isin,
        date as first_date,
        seen_on,
        known_at,
        if(run_no = 1, date '1900-01-01', date) as from_date,
        lead(date, 1, date '9999-12-31') over (partition by symbol, line order by date) as to_date,
        prev_close,
    from runs
)

select
    row_number() over (order by seen_on, first_date, symbol, line, isin) as node,
    symbol,
    line,
    isin,
    first_date,
    seen_on,
    from_date,
    to_date,
    prev_close,
    known_at,
from names
