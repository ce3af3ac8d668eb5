/*---
kind: incremental
date: date
look_back: 1
grain: [date, security_id]
knowable: date
order: [date, security_id]
columns:
  date: {type: DATE, doc: "session"}
  security_id: {type: BIGINT, doc: "the security"}
  kind: {type: VARCHAR, doc: "kind on that day"}
  ticker: {type: VARCHAR, doc: "symbol printed that day"}
  isin: {type: VARCHAR, doc: "ISIN printed that day"}
  series: {type: VARCHAR, doc: "the main series of the day"}
  name: {type: VARCHAR, doc: "company name where the format prints it"}
  close: {type: DOUBLE, unit: inr, doc: "official close"}
  known_at: {type: TIMESTAMPTZ, doc: "when it could first be known"}
---
One row is a security that was not printed under the very same names in the session before: a first print, a print after a hole, or a change of
kind, ticker, ISIN, series or name. Known at the evening of `date`. So a security's names on any day are those of its last row here, and a few
rows of its past tell all that its prices do about it.
*/
select
    prices.date,
    prices.security_id,
    prices.kind,
    prices.ticker,
    prices.isin,
    prices.series,
    prices.name,
    prices.close,
    prices.known_at,
from pit.prices as prices
anti join pit.prices as before
    on before.security_id = prices.security_id
    and before.session_no = prices.session_no - 1
    and before.kind = prices.kind
    and before.ticker = prices.ticker
    and before.series = prices.series
    and before.isin is not distinct from prices.isin
    and before.name is not distinct from prices.name
