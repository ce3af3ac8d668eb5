/*---
grain: [security_id, ex_date, kind, known_from]
interval: [ex_date]
references: {security_id: pit.securities.security_id}
knowable: "date '9999-12-31'"
checks:
  - "known_from < known_to"
  - "price_factor > 0"
  - "share_factor > 0"
  - "cash_inr >= 0"
columns:
  security_id: {type: BIGINT, doc: "the security"}
  ticker: {type: VARCHAR, doc: "symbol in the announcement"}
  ex_date: {type: DATE, doc: "first session without the entitlement"}
  kind: {type: VARCHAR, doc: "split, bonus, split_or_bonus, consolidation, rights, dividend, demerger, other"}
  price_factor: {type: DOUBLE, unit: ratio, doc: "multiplies prices before ex_date: 0.5 for a 1:1 bonus"}
  share_factor: {type: DOUBLE, unit: ratio, doc: "multiplies shares held before ex_date: 2 for a 1:1 bonus"}
  cash_inr: {type: DOUBLE, unit: inr per share, doc: "cash for each share held before ex_date"}
  source: {type: VARCHAR, doc: "who says so"}
  known_at: {type: TIMESTAMPTZ, doc: "known_from"}
  known_from: {type: TIMESTAMPTZ, doc: "when this version came into force"}
  known_to: {type: TIMESTAMPTZ, doc: "when it was restated, cancelled or contradicted"}
---
One row is a version of a corporate action that was accepted and is no longer: a factor restated since, or an action that was taken back. It was
in force in `[known_from, known_to)`. What stands today is in pit.corporate_actions; pit.corporate_actions_at shows what was known at a time.
This table grows when something is restated, so no row of it is final.
*/
select
    security_id,
    ticker,
    ex_date,
    kind,
    price_factor,
    share_factor,
    cash_inr,
    source,
    known_from as known_at,
    known_from,
    known_to,
from pit.action_versions
where known_to < timestamptz '9999-12-31 00:00:00+00'
