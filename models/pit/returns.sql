/*---
kind: incremental
date: date
look_back: 63
grain: [date, security_id]
order: [date, security_id]
knowable: date
checks:
  - "total_return_index > 0"
  - "ret is null or ret > -1"
  - "ret is null or sessions_since_last = 1"
  - name: every_price_has_a_row
    query: "select 1 where (select count(*) from pit.returns) != (select count(*) from pit.prices)"
columns:
  date: {type: DATE, doc: "trade date"}
  session_no: {type: INTEGER, doc: "number of the session"}
  security_id: {type: BIGINT, doc: "the security"}
  kind: {type: VARCHAR, doc: "kind on that day"}
  ticker: {type: VARCHAR, doc: "symbol printed that day"}
  close: {type: DOUBLE, unit: inr, doc: "official close, never adjusted"}
  turnover_inr: {type: DOUBLE, unit: inr, doc: "value traded"}
  ret: {type: DOUBLE, unit: ratio, doc: "return since the previous session; null on the first print and on the first print after a hole"}
  ret_kind: {type: VARCHAR, doc: "total once dividends are on file, price before"}
  total_return_index: {type: DOUBLE, unit: ratio, doc: "1.0 at the first print, running forward, carried across holes"}
  sessions_since_last: {type: INTEGER, unit: sessions, doc: "sessions since the previous print, 1 without a hole; null on the first and after a silence of more than 63"}
  is_stale: {type: BOOLEAN, doc: "printed without a trade"}
---
One row is the return of one security over one session. Known at the evening of `date`.
ret = (close × shares + cash) / previous close − 1 (the CRSP form), with the shares and cash that one share held before turned into by every
action whose ex-date lies after the previous print (pit.entitlements): so a 1:1 bonus is no loss, and a crash stays one. A hole is not a one-day
return: its first print has no `ret`, while the index carries the whole move. Nothing is adjusted backwards. A dead name ends; no price is carried on.
Source: CRSP US Stock Database Guide, "holding period return".
*/
with steps as (
    select
        date,
        session_no,
        security_id,
        kind,
        ticker,
        close,
        turnover_inr,
        coalesce(volume = 0, false) as is_stale,
        lag(close) over sessions as last_close,
        session_no - lag(session_no) over sessions as sessions_since_last,
    from pit.prices
    window sessions as (partition by security_id order by session_no)
),

dividends as (
    select coalesce(min(ex_date), date '9999-12-31') as first_date from pit.corporate_actions where kind = 'dividend'
)

select
    steps.date,
    steps.session_no,
    steps.security_id,
    steps.kind,
    steps.ticker,
    steps.close,
    steps.turnover_inr,
    if(
        steps.sessions_since_last = 1,
        steps.close * if(steps.date = entitlements.from_date, entitlements.shares, 1) / nullif(steps.last_close, 0) - 1,
        null
    ) as ret,
    if(steps.date >= dividends.first_date, 'total', 'price') as ret_kind,
    -- lint: allow division: pit.first_prints promises first_close > 0
    steps.close / firsts.first_close * coalesce(entitlements.shares_since_first, 1) as total_return_index,
    -- what the look-back does not reach is not known to any session alike
    if(steps.sessions_since_last <= 63, steps.sessions_since_last, null)::integer as sessions_since_last,
    steps.is_stale,
from steps
join pit.first_prints as firsts using (security_id)
cross join dividends
left join pit.entitlements as entitlements
    on entitlements.security_id = steps.security_id
    and entitlements.from_date <= steps.date
    and steps.date < entitlements.to_date
