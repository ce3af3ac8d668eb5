/*---
kind: incremental
date: date
look_back: 0
grain: [date, security_id]
references: {security_id: pit.identities.security_id}
knowable: seen_on
versions: pit.price_versions
order: [date, security_id]
checks:
  - "close > 0"
  - "volume is null or volume >= 0"
  - "turnover_inr is null or turnover_inr >= 0"
  - {rows: "high is null or low is null or high >= low", level: warn, name: high_below_low}
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
  turnover_inr: {type: DOUBLE, unit: inr, doc: "value traded; the exact one where one source rounds to lakhs, close × volume where none has it"}
  deliverable_qty: {type: BIGINT, unit: shares, doc: "shares marked for delivery, from whichever source has it"}
  known_at: {type: TIMESTAMPTZ, doc: "when the row could first be known as it stands"}
  seen_on: {type: DATE, doc: "first date whose decision could use the row; later than its date where it came late or was corrected"}
---
One row is one security on one session, as printed and as known at the build's as-of; nothing is adjusted. Known at `known_at`: the evening
of `date`, unless it came late or was corrected. What stood there before a correction is in pit.price_versions.
Where several files hold a row, each column comes from the newest known one that has it, then from the more exact source. Where a security
prints in several series on one day (a rolling and a trade-for-trade line), the rolling one stands for it.
*/
with told as (
    -- most days come from one file and need no choice
    select
        date,
        min(hash(batch_id, file)) != max(hash(batch_id, file)) as is_shared,
        min(known_at) != max(known_at) as is_versioned,
    from raw.prices
    group by date
),

chosen as (
    select
        date, symbol, series, isin, name, open, high, low, close, prev_close, volume, turnover_inr, deliverable_qty, known_at,
    from raw.prices
    where date not in (select date from told where is_shared or is_versioned) and is_withdrawn is not true
    union all by name
    select * exclude (is_gone) from ({{ chosen_prints('raw.prices where date in (select date from told where is_shared and not is_versioned)', 'date, symbol, series') }})
),

mapped as not materialized (
    {{ prints_of_securities('chosen') }}
),

-- securities that printed in two series, or under two symbols, on one day: few, so only they are compared
doubled as (
    select security_id, session_no
    from mapped
    group by security_id, session_no
    having count(*) > 1
),

main_lines as (
    select
        mapped.security_id,
        mapped.session_no,
        mapped.series,
        mapped.ticker,
    from mapped
    join doubled using (security_id, session_no)
    qualify row_number() over (partition by mapped.security_id, mapped.session_no order by {{ main_line_first() }}) = 1
)

select
    mapped.date,
    mapped.session_no,
    mapped.security_id,
    mapped.kind,
    mapped.ticker,
    mapped.isin,
    mapped.name,
    mapped.series,
    mapped.open,
    mapped.high,
    mapped.low,
    mapped.close,
    mapped.prev_close,
    mapped.volume,
    mapped.turnover_inr,
    mapped.deliverable_qty,
    mapped.known_at,
    {{ seen_on('mapped.known_at', 'mapped.date') }} as seen_on,
from mapped
left join main_lines
    on main_lines.security_id = mapped.security_id and main_lines.session_no = mapped.session_no
where main_lines.security_id is null
    or main_lines.series = mapped.series and main_lines.ticker = mapped.ticker
union all
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
    known_at,
    seen_on,
from pit.price_versions
where known_to = timestamptz '9999-12-31 00:00:00+00'
