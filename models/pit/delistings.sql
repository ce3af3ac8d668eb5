/*---
grain: [security_id, last_date]
interval: [closed_on, returned_on]
references: {security_id: pit.securities.security_id}
knowable: closed_on
order: [closed_on, security_id]
checks:
  - "last_date < closed_on and closed_on < returned_on"
  - "last_close > 0"
  - "terminal_ret between -1 and 0"
  - "reason in ('suspended', 'renamed', 'ended', 'silent')"
columns:
  security_id: {type: BIGINT, doc: "the security"}
  kind: {type: VARCHAR, doc: "kind on its last day"}
  ticker: {type: VARCHAR, doc: "symbol on its last day"}
  series: {type: VARCHAR, doc: "series on its last day"}
  last_date: {type: DATE, doc: "session of its last trade"}
  last_close: {type: DOUBLE, unit: inr, doc: "official close of that session, as known then"}
  closed_on: {type: DATE, doc: "session whose evening knew: as many sessions later as knob delist_after_sessions says"}
  terminal_ret: {type: DOUBLE, unit: ratio, doc: "return from the last close to what a holder is assumed to get: knob delist_haircut_pct"}
  terminal_price: {type: DOUBLE, unit: inr, doc: "last_close × (1 + terminal_ret), before actions that went ex in the silence"}
  reason: {type: VARCHAR, doc: "suspended (last seen in series BZ, where the exchange puts names that fail its rules), renamed (the list gives its symbol another name that nothing joins), ended (an entitlement or partly paid line, made to end) or silent"}
  evidence: {type: VARCHAR, doc: "what that is told by"}
  returned_on: {type: DATE, doc: "session of its next trade; 9999-12-31 while there is none"}
---
One row is a death: a security that has not traded for `delist_after_sessions` sessions. Known at the evening of `closed_on`, and never before it: in
between it is suspended, with a price that says how stale it is. Nobody tells why a name stopped, so each ends in the same stated return, with what
evidence there is beside it. The ledger closes holdings by the same two knobs on the same session. A name that trades again is a security with a
hole in its returns: `returned_on` closes the row, and the loss that was assumed is not taken back.
*/
with trades as (
    -- a silence that long leaves a stretch of that length empty, or the end of one and the start of the next
    select
        security_id,
        session_no // {{ delist_after_sessions }} as stretch,
        min(session_no) as first_no,
        max(session_no) as last_no,
    from ({{ prices_then('security_id, session_no, volume, close') }})
    where volume > 0 and close > 0
    group by all
),

silences as (
    select
        security_id,
        last_no,
        lead(first_no) over (partition by security_id order by stretch) as next_no,
    from trades
),

deaths as (
    select
        silences.security_id,
        silences.last_no,
        closing.date as closed_on,
        coalesce(back.date, date '9999-12-31') as returned_on,
    from silences
    join pit.sessions as closing on closing.session_no = silences.last_no + {{ delist_after_sessions }}
    left join pit.sessions as back on back.session_no = silences.next_no
    where silences.next_no is null or silences.next_no > silences.last_no + {{ delist_after_sessions }}
),

last_prints as (
    select
        deaths.*,
        prints.kind,
        prints.ticker,
        prints.series,
        prints.date as last_date,
        prints.close as last_close,
    from ({{ prices_then('security_id, session_no, date, kind, ticker, series, close') }}) as prints
    join deaths on deaths.security_id = prints.security_id and deaths.last_no = prints.session_no
),

changes as (
    {{ listed_changes() }}
),

-- a listed change around the end, to a symbol that did not become this security
renamed as (
    select
        last_prints.security_id,
        last_prints.last_no,
        arg_min(changes.new_symbol, (changes.effective_date, changes.new_symbol)) as new_symbol,
    from last_prints
    join changes
        on changes.old_symbol = last_prints.ticker
        and changes.effective_date > last_prints.last_date
        and changes.effective_date <= last_prints.closed_on
        and changes.seen_on <= last_prints.closed_on
        and changes.gone_on > last_prints.closed_on
    group by last_prints.security_id, last_prints.last_no
)

select
    last_prints.security_id,
    last_prints.kind,
    last_prints.ticker,
    last_prints.series,
    last_prints.last_date,
    last_prints.last_close,
    last_prints.closed_on,
    -{{ delist_haircut_pct }}::double / 100 as terminal_ret,
    last_prints.last_close * (1 - {{ delist_haircut_pct }}::double / 100) as terminal_price,
    case
        when last_prints.series = 'BZ' then 'suspended'
        when renamed.new_symbol is not null then 'renamed'
        when last_prints.kind in ('entitlement', 'partly_paid') then 'ended'
        else 'silent'
    end as reason,
    concat_ws(
        ', ',
        'last in series ' || last_prints.series,
        'listed as ' || renamed.new_symbol || ' since',
        concat('no trade in ', {{ delist_after_sessions }}, ' sessions')
    ) as evidence,
    last_prints.returned_on,
from last_prints
left join renamed on renamed.security_id = last_prints.security_id and renamed.last_no = last_prints.last_no
