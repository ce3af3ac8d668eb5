/*---
interval: [known_from, known_to]
grain: [account, date, exchange, trade_id, known_from]
references: {security_id: pit.securities.security_id}
knowable: "cast(timezone('Asia/Kolkata', known_to) as date)"
checks:
  - "known_from < known_to"
  - "qty > 0 and price > 0"
columns:
  account: {type: VARCHAR, doc: "the account at a broker"}
  date: {type: DATE, doc: "trade date, as the broker says"}
  exchange: {type: VARCHAR, doc: "exchange of the trade"}
  trade_id: {type: VARCHAR, doc: "the exchange's number of the trade"}
  order_id: {type: VARCHAR, doc: "the order it belongs to; a trade without one is its own"}
  security_id: {type: BIGINT, doc: "the security its symbol or ISIN meant that day"}
  ticker: {type: VARCHAR, doc: "as the broker writes it"}
  side: {type: VARCHAR, doc: "buy or sell"}
  qty: {type: BIGINT, unit: shares, doc: "shares traded"}
  price: {type: DOUBLE, unit: inr, doc: "without charges"}
  arrival_inr: {type: DOUBLE, unit: inr, doc: "price in the market when the order was entered, where somebody wrote it down"}
  executed_at: {type: TIMESTAMPTZ, doc: "when it was made; null where nobody says"}
  known_from: {type: TIMESTAMPTZ, doc: "when the broker reported it so, and the symbol was borne by a security"}
  known_to: {type: TIMESTAMPTZ, doc: "when it was corrected or taken back; 9999-12-31 while it stands"}
---
One row is one version of a trade of an account of yours: what its broker said of it in `[known_from, known_to)`. Account data: no paper portfolio
reads it. A trade in a symbol no security bears is not here; health.account_faults has it.
*/
with told as (
    {{ account_versions(
        'raw.fills',
        'account, date, exchange, trade_id',
        'order_id, symbol, isin, series, side, qty, price, arrival_inr, executed_at'
    ) }}
),

{{ securities_meant('told', 'account, date, exchange, trade_id', 'series') }}

select
    account,
    date,
    exchange,
    trade_id,
    coalesce(order_id, trade_id) as order_id,
    security_id,
    symbol as ticker,
    side,
    qty,
    price,
    arrival_inr,
    executed_at,
    known_from,
    known_to,
from meant
