/*---
kind: incremental
date: date
look_back: 64
grain: [date, security_id]
references: {security_id: pit.securities.security_id}
order: [date, security_id]
checks:
  - "high >= low"
  - "score >= 0 and score <= 1"
  - "verdict != 'proposed' or nearest_ratio > 0"
columns:
  date: {type: DATE, doc: "first print at the new price: the ex-date, if it is an action"}
  security_id: {type: BIGINT, doc: "the security"}
  ticker: {type: VARCHAR, doc: "symbol that day"}
  last_date: {type: DATE, doc: "its print before"}
  sessions_since_last: {type: INTEGER, unit: sessions, doc: "sessions since then, 1 without a hole"}
  last_close: {type: DOUBLE, unit: inr, doc: "close of that print"}
  open: {type: DOUBLE, unit: inr, doc: "first trade"}
  high: {type: DOUBLE, unit: inr, doc: "highest trade"}
  low: {type: DOUBLE, unit: inr, doc: "lowest trade"}
  close: {type: DOUBLE, unit: inr, doc: "official close"}
  move: {type: DOUBLE, unit: ratio, doc: "close / last_close − 1"}
  gap: {type: DOUBLE, unit: ratio, doc: "open / last_close − 1: a crash begins near the last close, an action does not"}
  range: {type: DOUBLE, unit: ratio, doc: "high / low − 1: a price that is searched for moves far within the day"}
  observed_ratio: {type: DOUBLE, unit: ratio, doc: "last_close / the geometric mean of open, high, low and close"}
  nearest_ratio: {type: DOUBLE, unit: ratio, doc: "shares for one held under the likeliest simple ratio that leaves every trade within 20 % of the last close; null: none does"}
  ratio_error: {type: DOUBLE, unit: log, doc: "ln(observed_ratio / nearest_ratio)"}
  isin_changed: {type: BOOLEAN, doc: "a new ISIN was printed, as after a change of face value; a bonus keeps it"}
  series_before: {type: VARCHAR, doc: "series of the print before"}
  series: {type: VARCHAR, doc: "series: after a demerger a share trades for trade (BE) for some days"}
  prev_close_ratio: {type: DOUBLE, unit: ratio, doc: "printed previous close / last_close: 1 as it is printed raw; else a relisting, a consolidation or a missing session"}
  value_multiple: {type: DOUBLE, unit: ratio, doc: "value traded / its mean over the 20 sessions before; an action alone changes it little"}
  market_move: {type: DOUBLE, unit: ratio, doc: "median move of all shares that session against their printed previous close"}
  broken_share: {type: DOUBLE, unit: ratio, doc: "share of the session's names that broke: large where sessions are missing from the lake"}
  on_file: {type: VARCHAR, doc: "kind and status of what was on file for it that evening; null: nothing"}
  kind: {type: VARCHAR, doc: "split (the ISIN changed), split_or_bonus, consolidation"}
  score: {type: DOUBLE, unit: ratio, doc: "how common the ratio is × how near it is, 1 at best"}
  verdict: {type: VARCHAR, doc: "proposed; on file; or why it is not proposed"}
  known_at: {type: TIMESTAMPTZ, doc: "when the last of the evidence was known: the evening of `date`"}
---
One row is a price that broke: a print more than 20 % away from the one before, by half a rupee or more. What no file explains is proposed as a split,
a bonus or a consolidation when the evidence of that day and before says so; everything else stands here with the reason, so that a reader can
judge. Only prints that were there in the evening of their day count, as they were printed then; nothing is known from later days, and nothing is
changed by a proposal unless the knob `accept` is `proposed`.
A split moves the whole day: even its highest trade lies beyond what a price band of 20 % allows, and every trade lies within that band around the
last close divided by the ratio. A crash (YESBANK on 2020-03-06) begins near the last close or moves far within the day; a demerger goes to a price
that is no simple ratio, in a wide range on heavy trading, or into the trade-for-trade series; where a tenth of the names break, sessions are missing
from the lake. A consolidation is told by the exchange itself: the printed previous close is multiplied, under a new ISIN. Bonuses of less than 1:3
stay within a band and cannot be told from a bad day: they are not looked for, and most of 1:3 and 2:5 are not found.
The ratios' weights say how common they are in the Indian market (1:1, 5:1 and 10:1 make up three in four); the deviation of 0.07 is that of the
first day's prices. Measured in docs/measurements.md.
*/
-- prints as the evening of their day showed them: what came late or was corrected later is no evidence
with seen as not materialized (
    {{ prices_then('date, session_no, security_id, kind, ticker, isin, series, open, high, low, close, prev_close, turnover_inr, known_at') }}
),

-- the window carries only what finds a break; the few that are found look up the rest
breaks as (
    select
        date,
        security_id,
        session_no,
        lag(session_no) over prints as last_no,
    from seen
    where kind in ('equity', 'sme', 'etf')
    window prints as (partition by security_id order by session_no)
    -- ten ticks: of a share of a few paise every tick is a break
    qualify (close < 0.8 * lag(close) over prints - 0.05 or close > 1.25 * lag(close) over prints + 0.05)
        and abs(close - lag(close) over prints) >= 0.5
        -- what the look-back does not reach is not known to any session alike
        and session_no - last_no <= 63
),

around as (
    select
        breaks.date as break_date,
        prints.session_no = breaks.session_no as is_now,
        prints.session_no = breaks.last_no as is_before,
        prints.session_no between breaks.session_no - 20 and breaks.session_no - 1 as is_usual,
        prints.*,
    from breaks
    join seen as prints
        on prints.security_id = breaks.security_id
        and prints.session_no >= least(breaks.last_no, breaks.session_no - 20)
        and prints.session_no <= breaks.session_no
),

broken as (
    select
        break_date as date,
        security_id,
        any_value(session_no) filter (is_now) as session_no,
        any_value(ticker) filter (is_now) as ticker,
        any_value(date) filter (is_before) as last_date,
        any_value(session_no) filter (is_now) - any_value(session_no) filter (is_before) as sessions_since_last,
        any_value(close) filter (is_before) as last_close,
        any_value(coalesce(open, close)) filter (is_now) as open,
        any_value(coalesce(high, close)) filter (is_now) as high,
        any_value(coalesce(low, close)) filter (is_now) as low,
        any_value(close) filter (is_now) as close,
        coalesce(any_value(isin) filter (is_now) != any_value(isin) filter (is_before), false) as isin_changed,
        any_value(series) filter (is_before) as series_before,
        any_value(series) filter (is_now) as series,
        any_value(prev_close) filter (is_now) / nullif(any_value(close) filter (is_before), 0) as prev_close_ratio,
        any_value(turnover_inr) filter (is_now) / nullif({{ stable_avg('if(is_usual, turnover_inr, null)', 2) }}, 0) as value_multiple,
        max(known_at) filter (is_now or is_before) as known_at,
    from around
    group by break_date, security_id
),

observed as (
    select
        *,
        exp(ln(last_close) - (ln(open) + ln(high) + ln(low) + ln(close)) / 4) as observed_ratio,
    from broken
),

ratios as (
    select ratio, weight
    from (
        values
            (2.0, 1.0), (5.0, 1.0), (10.0, 1.0),
            (1.5, 0.1), (2.5, 0.1), (3.0, 0.1), (4.0, 0.1), (20.0, 0.1),
            (4.0 / 3.0, 0.02), (1.4, 0.02), (5.0 / 3.0, 0.02), (3.5, 0.02), (6.0, 0.02), (7.5, 0.02), (8.0, 0.02), (15.0, 0.02), (25.0, 0.02), (50.0, 0.02), (100.0, 0.02),
            (0.5, 0.1), (0.2, 0.1), (0.1, 1.0), (0.01, 0.02),
    ) as listed (ratio, weight)
),

-- the likeliest ratio of those that leave every trade within the band, a tick either way
nearest as (
    select
        observed.date,
        observed.security_id,
        ratios.ratio as nearest_ratio,
        ln(observed.observed_ratio / nullif(ratios.ratio, 0)) as ratio_error,
        ratios.weight * exp(-pow(ln(observed.observed_ratio / nullif(ratios.ratio, 0)) / 0.07, 2) / 2) as score,
    from observed
    join ratios
        on observed.high <= 1.2 * observed.last_close / nullif(ratios.ratio, 0) + 0.05
        and observed.low >= 0.8 * observed.last_close / nullif(ratios.ratio, 0) - 0.05
    qualify row_number() over (partition by observed.date, observed.security_id order by score desc, ratios.ratio) = 1
),

market as (
    select
        date,
        median(close / nullif(prev_close, 0)) - 1 as move,
    from seen
    where date in (select date from observed) and kind = 'equity'
    group by date
),

filed as (
    select
        observed.date,
        observed.security_id,
        string_agg(actions.kind || ' ' || actions.status, ', ' order by actions.kind, actions.status, actions.ticker) as on_file,
        bool_or(
            actions.status != 'unconfirmed' and (actions.kind != 'dividend' or actions.cash_inr > 0.2 * observed.last_close)
        ) as explains,
    from observed
    join pit.filed_actions as actions
        on actions.security_id = observed.security_id
        and actions.ex_date > observed.last_date
        and actions.ex_date <= observed.date
        and actions.known_from <= observed.known_at
        and observed.known_at < actions.known_to
    group by observed.date, observed.security_id
),

judged as (
    select
        observed.*,
        nearest.nearest_ratio,
        nearest.ratio_error,
        coalesce(nearest.score, 0) as score,
        market.move as market_move,
        count(*) over (partition by observed.date) / nullif(sessions.n_securities, 0) as broken_share,
        filed.on_file,
        case
            when filed.explains then 'on file'
            when broken_share > 0.1 then 'not proposed: the whole market moved'
            when observed.close > observed.last_close then
                case
                    when not observed.isin_changed then 'not proposed: a rise under the same ISIN'
                    when nearest.nearest_ratio is null or abs(ln(nullif(prev_close_ratio * nearest.nearest_ratio, 0))) > 0.03
                        or prev_close_ratio is null then 'not proposed: the printed previous close was not consolidated'
                    else 'proposed'
                end
            when observed.high >= 0.8 * observed.last_close - 0.05 then 'not proposed: the day began near the last close, as in a crash'
            when observed.sessions_since_last > 5 then 'not proposed: not traded for more than a week before'
            when abs(prev_close_ratio - 1) > 0.01 then 'not proposed: the printed previous close is not the last one'
            when observed.series in ('BE', 'BZ', 'ST') and observed.series_before not in ('BE', 'BZ', 'ST')
                then 'not proposed: moved to trade for trade, as after a demerger'
            when observed.high > 1.3 * observed.low then 'not proposed: moved too far within the day, as in a crash'
            when value_multiple > 4 and observed.high > 1.2 * observed.low
                then 'not proposed: a price searched for on heavy trading, as after a demerger'
            when nearest.nearest_ratio is null or nearest.nearest_ratio < 1 then 'not proposed: no simple ratio'
            when nearest.score < 0.015 then 'not proposed: not near enough to a ratio as rare'
            else 'proposed'
        end as verdict,
    from observed
    left join nearest using (date, security_id)
    left join market using (date)
    left join pit.sessions as sessions using (date)
    left join filed using (date, security_id)
)

select
    date,
    security_id,
    ticker,
    last_date,
    sessions_since_last::integer as sessions_since_last,
    last_close,
    open,
    high,
    low,
    close,
    close / nullif(last_close, 0) - 1 as move,
    open / nullif(last_close, 0) - 1 as gap,
    high / nullif(low, 0) - 1 as range,
    observed_ratio,
    nearest_ratio,
    ratio_error,
    isin_changed,
    series_before,
    series,
    prev_close_ratio,
    value_multiple,
    market_move,
    broken_share,
    on_file,
    case when nearest_ratio < 1 then 'consolidation' when isin_changed then 'split' else 'split_or_bonus' end as kind,
    score,
    verdict,
    known_at,
from judged
