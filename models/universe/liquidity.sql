/*---
kind: incremental
look_back: 150
grain: [date, security_id]
references: {date: universe.rebalances.date, security_id: pit.securities.security_id}
order: [date, security_id]
checks:
  - "sessions_since_print >= 0"
  - "sessions_since_print > 0 or close > 0"
  - name: look_back_is_as_long_as_a_silence
    query: "select {{ delist_after_sessions }} as delist_after_sessions where {{ delist_after_sessions }} > 140"
columns:
  date: {type: DATE, doc: "decision date"}
  session_no: {type: INTEGER, doc: "number of the session"}
  security_id: {type: BIGINT, doc: "the security"}
  kind: {type: VARCHAR, doc: "kind as last seen"}
  ticker: {type: VARCHAR, doc: "symbol as last seen"}
  series: {type: VARCHAR, doc: "main series as last seen"}
  close: {type: DOUBLE, unit: inr, doc: "last close"}
  adv_inr: {type: DOUBLE, unit: inr, doc: "median value traded, as of its last print"}
  has_history: {type: BOOLEAN, doc: "as of its last print, its last prints (knob min_history_sessions) lie close together"}
  sessions_since_print: {type: INTEGER, unit: sessions, doc: "0 where it printed on the date"}
---
One row is a security that has printed within the last `delist_after_sessions` sessions of a decision date, with what is known of its liquidity
that evening. A suspended name stays until then; a dead one is gone after it, and never before it died.
*/
with gaps as (
    -- a hole between two prints; one of which only the end is told, as it is too long; and what follows the newest print
    select security_id, normal_no - sessions_since_last as print_no, normal_no as next_no
    from features.daily
    where sessions_since_last > 1 and security_id not in (select security_id from pit.vintages)
    union all
    select daily.security_id, max(daily.normal_no), returned.normal_no
    from features.daily as returned
    join features.daily as daily on daily.security_id = returned.security_id and daily.normal_no < returned.normal_no
    where returned.sessions_since_last is null and returned.security_id not in (select security_id from pit.vintages)
    group by daily.security_id, returned.normal_no
    union all
    select security_id, max(normal_no), null
    from features.daily
    where security_id not in (select security_id from pit.vintages)
    group by security_id
    union all
    -- where prints came late or were withdrawn a row does not tell which rows there were before it, as each decision saw its own
    select security_id, normal_no, lead(normal_no) over prints
    from features.daily
    where security_id in (select security_id from pit.vintages)
    window prints as (partition by security_id order by normal_no)
    qualify coalesce(lead(normal_no) over prints > normal_no + 1, true)
),

prints as (
    select rebalances.date, rebalances.session_no, rebalances.normal_no, daily.security_id, daily.normal_no as print_no
    from features.daily as daily
    join universe.rebalances as rebalances on rebalances.session_no = daily.session_no
    union all
    select rebalances.date, rebalances.session_no, rebalances.normal_no, gaps.security_id, gaps.print_no
    from gaps
    join universe.rebalances as rebalances
        on rebalances.normal_no > gaps.print_no
        and rebalances.normal_no <= gaps.print_no + {{ delist_after_sessions }}
        and (gaps.next_no is null or rebalances.normal_no < gaps.next_no)
)

select
    prints.date,
    prints.session_no,
    prints.security_id,
    securities.kind,
    securities.ticker,
    securities.series,
    daily.close,
    daily.adv_inr,
    daily.has_history,
    prints.normal_no - prints.print_no as sessions_since_print,
from prints
join features.daily as daily on daily.security_id = prints.security_id and daily.normal_no = prints.print_no
join pit.securities as securities
    on securities.security_id = prints.security_id
    and securities.valid_from <= prints.date
    and prints.date < securities.valid_to
