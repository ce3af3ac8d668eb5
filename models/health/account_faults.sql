/*---
grain: [dataset, account, date, what, number]
checks:
  - name: account_records_are_whole
    level: warn
    query: >-
      select * from health.account_faults where date > (select max(date) - 92 from pit.sessions)
columns:
  dataset: {type: VARCHAR, doc: "fills, holdings or contract_notes"}
  account: {type: VARCHAR, doc: "the account at a broker"}
  date: {type: DATE, doc: "trade date, or day of the statement"}
  what: {type: VARCHAR, doc: "unknown symbol, no session, or price outside the session's range"}
  number: {type: VARCHAR, doc: "number of the trade; of a statement's line, its symbol; of a note, its number"}
  symbol: {type: VARCHAR, doc: "as the broker writes it; null of a note"}
  price: {type: DOUBLE, unit: inr, doc: "reported; null where there is none"}
  low: {type: DOUBLE, unit: inr, doc: "of the session, as known now"}
  high: {type: DOUBLE, unit: inr, doc: "of the session, as known now"}
---
What brokers' records say that cannot be: trades in names nobody bears, on days without a session, at prices the session never saw. Rows that were wrong
in themselves were refused when they were loaded (ops.quarantine). What stands here is what was reported last; a trade that was put right is gone.
*/
with fills as (
    select account, date, exchange, trade_id, symbol, price
    from raw.fills
    {{ newest_of('account, date, exchange, trade_id', 'symbol, side, qty, price') }}
),

holdings as (
    select account, date, symbol
    from raw.holdings
    {{ newest_of('account, date, symbol', 'isin, qty') }}
),

notes as (
    select account, date, note_no
    from raw.contract_notes
    {{ newest_of('account, date, note_no', 'bought_inr, sold_inr') }}
),

found as (
    select 'fills' as dataset, fills.account, fills.date, 'unknown symbol' as what, fills.trade_id as number, fills.symbol, fills.price
    from fills
    anti join pit.fills as known
        on known.account = fills.account and known.date = fills.date and known.exchange = fills.exchange and known.trade_id = fills.trade_id
    union all by name
    select 'fills' as dataset, fills.account, fills.date, 'no session' as what, fills.trade_id as number, fills.symbol, fills.price
    from fills
    anti join pit.sessions as sessions on sessions.date = fills.date
    where fills.date <= (select max(date) from pit.sessions)
    union all by name
    select 'holdings' as dataset, holdings.account, holdings.date, 'unknown symbol' as what, holdings.symbol as number, holdings.symbol
    from holdings
    anti join pit.holdings as known on known.account = holdings.account and known.date = holdings.date and known.ticker = holdings.symbol
    union all by name
    select 'contract_notes' as dataset, notes.account, notes.date, 'no session' as what, notes.note_no as number
    from notes
    anti join pit.sessions as sessions on sessions.date = notes.date
    where notes.date <= (select max(date) from pit.sessions)
),

outside as (
    select
        'fills' as dataset,
        fills.account,
        fills.date,
        'price outside the session''s range' as what,
        fills.trade_id as number,
        fills.ticker as symbol,
        fills.price,
        prices.low,
        prices.high,
    from pit.fills as fills
    inner join pit.prices as prices on prices.security_id = fills.security_id and prices.date = fills.date
    where fills.known_to = timestamptz '9999-12-31 00:00:00+00'
        and fills.exchange = 'NSE'
        and (fills.price > prices.high or fills.price < prices.low)
)

select dataset, account, date, what, number, symbol, price, null::double as low, null::double as high
from found
union all
select dataset, account, date, what, number, symbol, price, low, high
from outside
