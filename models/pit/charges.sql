/*---
grain: [item, venue, from_date]
knowable: from_date
checks:
  - "rate >= 0"
  - "from_date <= to_date"
  - "side in ('both', 'buy', 'sell')"
  - name: one_rate_a_day
    query: "select a.item from pit.charges as a join pit.charges as b on a.item = b.item and a.venue = b.venue and a.side = b.side and a.from_date < b.from_date and b.from_date <= a.to_date"
columns:
  from_date: {type: DATE, doc: "first trade date of the rate"}
  to_date: {type: DATE, doc: "last trade date of the rate, included; 9999-12-31 while in force"}
  item: {type: VARCHAR, doc: "STT_DELIVERY, STAMP_DELIVERY, EXCH_TXN, IPFT, SEBI_FEE, SERVICE_TAX, GST, BROKERAGE_<plan>, DP_<plan>"}
  venue: {type: VARCHAR, doc: "exchange or depository; ALL where the same everywhere"}
  rate: {type: DOUBLE, doc: "rate in the row's unit"}
  unit: {type: VARCHAR, doc: "what the rate is"}
  base: {type: VARCHAR, doc: "what it is levied on"}
  side: {type: VARCHAR, doc: "who pays: both, buy, sell"}
  status: {type: VARCHAR, doc: "verified, secondary or assumption"}
  source: {type: VARCHAR, doc: "where it was read"}
---
One row is a dated charge on delivery trades. Valid where from_date <= trade date <= to_date. Rates are announced before they apply, so a row is
known on its first day. Source: config/charges.csv, which names the circular of each row.
*/
select
    from_date,
    coalesce(to_date, date '9999-12-31') as to_date,
    item,
    venue,
    rate,
    unit,
    base,
    side,
    status,
    source,
from config.charges
