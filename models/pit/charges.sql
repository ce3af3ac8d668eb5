/*---
interval: [known_from, known_to]
grain: [item, venue, side, from_date, known_from]
order: [item, venue, from_date, known_from]
knowable: "cast(timezone('Asia/Kolkata', known_to) as date)"
checks:
  - "rate >= 0"
  - "from_date <= to_date"
  - "known_from < known_to"
  - "side in ('both', 'buy', 'sell')"
  - name: one_rate_a_day
    query: >-
      select a.item from pit.charges as a join pit.charges as b on a.item = b.item and a.venue = b.venue and a.side = b.side
      and a.from_date < b.from_date and b.from_date <= a.to_date and a.known_from < b.known_to and b.known_from < a.known_to
columns:
  from_date: {type: DATE, doc: "first trade date of the rate"}
  to_date: {type: DATE, doc: "last trade date of the rate, included; 9999-12-31 while no end was known"}
  known_from: {type: TIMESTAMPTZ, doc: "announcement of the rate, or of its end; where none is on file, the morning of the day it took effect"}
  known_to: {type: TIMESTAMPTZ, doc: "when a later announcement changed the row; 9999-12-31 while none has"}
  item: {type: VARCHAR, doc: "STT_DELIVERY, STAMP_DELIVERY, EXCH_TXN, IPFT, SEBI_FEE, SERVICE_TAX, GST, BROKERAGE_<plan>, DP_<plan>"}
  venue: {type: VARCHAR, doc: "exchange or depository; ALL where the same everywhere"}
  rate: {type: DOUBLE, doc: "rate in the row's unit"}
  unit: {type: VARCHAR, doc: "what the rate is"}
  base: {type: VARCHAR, doc: "what it is levied on"}
  side: {type: VARCHAR, doc: "who pays: both, buy, sell"}
  status: {type: VARCHAR, doc: "verified, secondary or assumption"}
  source: {type: VARCHAR, doc: "where it was read"}
---
One row is one version of a dated charge on delivery trades: what was known of it in `[known_from, known_to)`. It is levied where
from_date <= trade date <= to_date. The circular that announces a new rate ends the old one, so the old row has two versions: open until the
circular, ended from then on. Rows with `known_to` 9999-12-31 are what is known now. Source: config/charges.csv, which names the circular of
each row.
*/
with {{ rate_versions('config.charges', 'item, venue, side', 'from_date', 'to_date') }}

select
    from_date,
    last_day as to_date,
    known_from,
    known_to,
    item,
    venue,
    rate,
    unit,
    base,
    side,
    status,
    source,
from rate_versions
