/*---
grain: [security_id, session_no]
knowable: date
order: [security_id, session_no]
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
  sessions_since_last: {type: INTEGER, unit: sessions, doc: "sessions since the previous print, 1 without a hole; null on the first"}
  is_stale: {type: BOOLEAN, doc: "printed without a trade"}
---
One row is the return of one security over one session. Known at the evening of `date`.
ret = (close × shares + cash) / previous close − 1 (the CRSP form), with the shares and cash that one share held before turned into by every
action whose ex-date lies after the previous print: so a 1:1 bonus is no loss, and a crash stays one. A hole is not a one-day return:
its first print has no `ret`, while the index carries the whole move. Nothing is adjusted backwards. A dead name ends; no price is carried on.
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

-- an action counts on the first print on or after its ex-date
landed as (
    select
        actions.security_id,
        actions.ex_date,
        actions.kind,
        min(prices.date) as date,
    from pit.corporate_actions as actions
    join pit.prices as prices on prices.security_id = actions.security_id and prices.date >= actions.ex_date
    group by all
),

-- what one share held before has become
entitlements as (
    select
        landed.security_id,
        landed.date,
        exp(sum(ln(1 / actions.price_factor) order by actions.ex_date, actions.kind)) as shares,
        sum(actions.cash_inr order by actions.ex_date, actions.kind) as cash_inr,
    from landed
    join pit.corporate_actions as actions using (security_id, ex_date, kind)
    group by all
),

dividends as (
    select min(ex_date) as first_date from pit.corporate_actions where kind = 'dividend'
),

grown as (
    select
        steps.*,
        (steps.close * coalesce(entitlements.shares, 1) + coalesce(entitlements.cash_inr, 0)) as worth,
    from steps
    left join entitlements using (security_id, date)
)

select
    date,
    session_no,
    security_id,
    kind,
    ticker,
    close,
    turnover_inr,
    if(sessions_since_last = 1, worth / nullif(last_close, 0) - 1, null) as ret,
    if(date >= (select first_date from dividends), 'total', 'price') as ret_kind,
    close / first_value(close) over sessions
        * exp(sum(if(last_close is null or worth = close, 0.0, ln(worth / close))) over sessions) as total_return_index,
    sessions_since_last::integer as sessions_since_last,
    is_stale,
from grown
window sessions as (partition by security_id order by session_no rows unbounded preceding)
