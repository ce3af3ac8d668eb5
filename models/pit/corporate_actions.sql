/*---
grain: [security_id, ex_date, kind]
interval: [ex_date]
references: {security_id: pit.securities.security_id}
versions: pit.replaced_actions
checks:
  - "price_factor > 0"
  - "share_factor > 0"
  - "cash_inr >= 0"
  - {rows: "{{ ist_date('known_at') }} <= ex_date", level: warn, name: known_by_its_ex_date}
columns:
  security_id: {type: BIGINT, doc: "the security"}
  ticker: {type: VARCHAR, doc: "symbol in the announcement"}
  ex_date: {type: DATE, doc: "first session without the entitlement"}
  kind: {type: VARCHAR, doc: "split, bonus, split_or_bonus, consolidation, rights, dividend, demerger, other"}
  price_factor: {type: DOUBLE, unit: ratio, doc: "multiplies prices before ex_date: 0.5 for a 1:1 bonus"}
  share_factor: {type: DOUBLE, unit: ratio, doc: "multiplies shares held before ex_date: 2 for a 1:1 bonus"}
  cash_inr: {type: DOUBLE, unit: inr per share, doc: "cash for each share held before ex_date"}
  known_at: {type: TIMESTAMPTZ, doc: "when this version was announced; where unknown, the morning of ex_date; for a factor that rests on a price, the evening of that price"}
  source: {type: VARCHAR, doc: "who says so"}
---
One row is one accepted corporate action of one security in its newest version; what it replaced is in pit.replaced_actions. Which actions are
accepted is the knob `accept`. The symbol is read as it was used on the ex-date. A dividend is cash and no factor: returns take it in CRSP's form,
(price + cash) / last price − 1. Formulas and bearers: pit.filed_actions; acceptance: pit.action_versions.
*/
select
    security_id,
    ticker,
    ex_date,
    kind,
    price_factor,
    share_factor,
    cash_inr,
    known_from as known_at,
    source,
from pit.action_versions
where known_to = timestamptz '9999-12-31 00:00:00+00'
