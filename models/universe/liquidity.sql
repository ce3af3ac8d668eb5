/*---
grain: [date, security_id]
order: [date, security_id]
checks:
  - "sessions_since_print >= 0"
  - "sessions_since_print > 0 or close > 0"
columns:
  date: {type: DATE, doc: "decision date"}
  session_no: {type: INTEGER, doc: "number of the session"}
  security_id: {type: BIGINT, doc: "the security"}
  kind: {type: VARCHAR, doc: "kind at its last print"}
  ticker: {type: VARCHAR, doc: "symbol at its last print"}
  series: {type: VARCHAR, doc: "main series at its last print"}
  close: {type: DOUBLE, unit: inr, doc: "last close"}
  adv_inr: {type: DOUBLE, unit: inr, doc: "median value traded, as of its last print"}
  n_prints: {type: INTEGER, unit: sessions, doc: "sessions printed so far"}
  sessions_since_print: {type: INTEGER, unit: sessions, doc: "0 where it printed on the date"}
---
One row is a security that has printed within the last `delist_after_sessions` sessions of a decision date, with what is known of its liquidity
that evening. A suspended name stays until then; a dead one is gone after it, and never before it died.
*/
with spans as (
    select
        *,
        lead(session_no) over (partition by security_id order by session_no) as next_no,
    from features.daily
),

latest as (
    select
        rebalances.date,
        rebalances.session_no,
        spans.security_id,
        spans.kind,
        spans.ticker,
        spans.close,
        spans.adv_inr,
        spans.n_prints,
        spans.session_no as print_no,
    from spans
    join universe.rebalances as rebalances on rebalances.session_no = spans.session_no
    union all
    select
        rebalances.date,
        rebalances.session_no,
        spans.security_id,
        spans.kind,
        spans.ticker,
        spans.close,
        spans.adv_inr,
        spans.n_prints,
        spans.session_no as print_no,
    from spans
    join universe.rebalances as rebalances
        on rebalances.session_no > spans.session_no
        and rebalances.session_no < spans.next_no
        and rebalances.session_no <= spans.session_no + {{ delist_after_sessions }}
    where spans.next_no > spans.session_no + 1
    union all
    select
        rebalances.date,
        rebalances.session_no,
        spans.security_id,
        spans.kind,
        spans.ticker,
        spans.close,
        spans.adv_inr,
        spans.n_prints,
        spans.session_no as print_no,
    from spans
    join universe.rebalances as rebalances
        on rebalances.session_no > spans.session_no
        and rebalances.session_no <= spans.session_no + {{ delist_after_sessions }}
    where spans.next_no is null
)

select
    latest.date,
    latest.session_no,
    latest.security_id,
    latest.kind,
    latest.ticker,
    securities.series,
    latest.close,
    latest.adv_inr,
    latest.n_prints,
    latest.session_no - latest.print_no as sessions_since_print,
from latest
join pit.securities as securities
    on securities.security_id = latest.security_id
    and securities.valid_from <= latest.date
    and latest.date < securities.valid_to
