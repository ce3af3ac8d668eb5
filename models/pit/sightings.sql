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
kind, ticker, ISIN, series or name; as its print was first known, with what was known then of the session before. Known at `known_at`, the evening
of `date` unless the print came late. So a security's names on any day are those of its last row here, and a few rows of its past tell all that
its prices do about it. A correction changes no row.
*/
with prints as not materialized (
    select date, session_no, security_id, kind, ticker, isin, series, name, close, known_at
    from pit.prices
    where date not in (select date from pit.price_versions)
    union all
    select date, session_no, security_id, kind, ticker, isin, series, name, close, known_at
    from pit.price_versions
    qualify row_number() over (partition by date, security_id order by known_from) = 1
)

select
    prints.date,
    prints.security_id,
    prints.kind,
    prints.ticker,
    prints.isin,
    prints.series,
    prints.name,
    prints.close,
    prints.known_at,
from prints
anti join prints as before
    on before.security_id = prints.security_id
    and before.session_no = prints.session_no - 1
    and before.known_at <= prints.known_at
    and before.kind = prints.kind
    and before.ticker = prints.ticker
    and before.series = prints.series
    and before.isin is not distinct from prints.isin
    and before.name is not distinct from prints.name
