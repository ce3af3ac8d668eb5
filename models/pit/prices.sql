/*---
kind: incremental
date: date
look_back: 0
grain: [date, security_id]
references: {security_id: pit.identities.security_id}
knowable: date
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
  known_at: {type: TIMESTAMPTZ, doc: "when it could first be known"}
---
One row is one security on one session, as printed; nothing is adjusted. Known at the evening of `date`.
Where several files hold a row, each column comes from the newest known one that has it, then from the more exact source. Where a security
prints in several series on one day (a rolling and a trade-for-trade line), the rolling one stands for it.
*/
with shared_dates as (
    select date from pit.days where n_files > 1
),

-- most days come from one file and need no choice
ranked as (
    select
        *,
        row_number() over (
            partition by date, symbol, series
            -- two copies of one source that disagree: the fuller day, never the one loaded first
            order by
                known_at desc,
                source_rank,
                volume desc nulls last,
                turnover_inr desc nulls last,
                (close, open, high, low, prev_close, isin, name, deliverable_qty),
        ) as choice,
        row_number() over (
            partition by date, symbol, series
            order by
                known_at desc,
                not coalesce(turnover_exact, true),
                source_rank,
                volume desc nulls last,
                turnover_inr desc nulls last,
        ) as turnover_choice,
    from raw.prices
    where date in (select date from shared_dates)
),

chosen as (
    select
        date, symbol, series, isin, name, open, high, low, close, prev_close, volume, turnover_inr, deliverable_qty, known_at,
    from raw.prices
    where date not in (select date from shared_dates)
    union all
    select
        date,
        symbol,
        series,
        arg_min(isin, choice) as isin,
        arg_min(name, choice) as name,
        arg_min(open, choice) as open,
        arg_min(high, choice) as high,
        arg_min(low, choice) as low,
        arg_min(close, choice) as close,
        arg_min(prev_close, choice) as prev_close,
        arg_min(volume, choice) as volume,
        arg_min(turnover_inr, turnover_choice) as turnover_inr,
        arg_min(deliverable_qty, choice) as deliverable_qty,
        arg_min(known_at, choice) as known_at,
    from ranked
    group by date, symbol, series
),

identities as (
    select
        symbol,
        line,
        isin,
        security_id,
        kind,
        first_date,
        lead(first_date, 1, date '9999-12-31') over (partition by symbol, line, isin order by first_date) as next_first,
    from pit.identities
),

mapped as not materialized (
    select
        chosen.date,
        sessions.session_no,
        identities.security_id,
        if(identities.kind = 'equity' and chosen.series in ('SM', 'ST', 'SZ'), 'sme', identities.kind) as kind,
        chosen.symbol as ticker,
        chosen.isin,
        chosen.name,
        chosen.series,
        chosen.open,
        chosen.high,
        chosen.low,
        chosen.close,
        chosen.prev_close,
        chosen.volume,
        coalesce(chosen.turnover_inr, chosen.close * chosen.volume) as turnover_inr,
        chosen.deliverable_qty,
        chosen.known_at,
    from chosen
    join pit.sessions as sessions using (date)
    join identities
        on identities.symbol = chosen.symbol
        and identities.line = {{ line_of('chosen.series') }}
        and identities.isin = coalesce(chosen.isin, '')
        and chosen.date >= identities.first_date
        and chosen.date < identities.next_first
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
    qualify row_number() over (
        partition by mapped.security_id, mapped.session_no
        order by
            list_position(['EQ', 'BE', 'BZ', 'SM', 'ST', 'SZ', 'T0', 'IL', 'BT', 'BL'], mapped.series) nulls last,
            mapped.turnover_inr desc nulls last,
            mapped.series,
            mapped.ticker
    ) = 1
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
from mapped
left join main_lines
    on main_lines.security_id = mapped.security_id and main_lines.session_no = mapped.session_no
where main_lines.security_id is null
    or main_lines.series = mapped.series and main_lines.ticker = mapped.ticker
