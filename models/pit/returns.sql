/*---
grain: [security_id, session_no]
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

firsts as (
    select
        security_id,
        min(date) as first_date,
        arg_min(close, session_no) as first_close,
    from pit.prices
    group by security_id
),

-- an action counts on the first print on or after its ex-date, and not at all on a security's first print
landed as (
    select
        actions.security_id,
        actions.ex_date,
        actions.kind,
        actions.price_factor,
        actions.cash_inr,
        min(prices.date) as date,
    from pit.corporate_actions as actions
    join pit.prices as prices on prices.security_id = actions.security_id and prices.date >= actions.ex_date
    join firsts on firsts.security_id = actions.security_id and firsts.first_date < actions.ex_date
    group by all
),

entitlements as (
    select
        security_id,
        date,
        -- lint: allow division: pit.corporate_actions promises price_factor > 0
        product(1 / price_factor order by ex_date, kind) as shares,
        sum(cash_inr order by ex_date, kind) as cash_inr,
    from landed
    group by security_id, date
),

-- what one share held before has become, in shares of that day
growth as (
    select
        entitlements.security_id,
        entitlements.date as from_date,
        -- lint: allow division: pit.prices promises close > 0
        entitlements.shares + entitlements.cash_inr / prices.close as shares,
    from entitlements
    join pit.prices as prices using (security_id, date)
),

holdings as (
    select
        security_id,
        from_date,
        lead(from_date, 1, date '9999-12-31') over actions as to_date,
        shares,
        product(shares) over (actions rows unbounded preceding) as shares_since_first,
    from growth
    window actions as (partition by security_id order by from_date)
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
        steps.close * if(steps.date = holdings.from_date, holdings.shares, 1) / nullif(steps.last_close, 0) - 1,
        null
    ) as ret,
    if(steps.date >= dividends.first_date, 'total', 'price') as ret_kind,
    -- lint: allow division: pit.prices promises close > 0
    steps.close / firsts.first_close * coalesce(holdings.shares_since_first, 1) as total_return_index,
    steps.sessions_since_last::integer as sessions_since_last,
    steps.is_stale,
from steps
join firsts using (security_id)
cross join dividends
left join holdings
    on holdings.security_id = steps.security_id
    and holdings.from_date <= steps.date
    and steps.date < holdings.to_date
