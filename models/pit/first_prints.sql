/*---
grain: [security_id]
interval: [first_date]
knowable: first_date
checks:
  - "first_close > 0"
columns:
  security_id: {type: BIGINT, doc: "the security"}
  first_date: {type: DATE, doc: "session of its first print"}
  first_close: {type: DOUBLE, unit: inr, doc: "official close of that session: where its total-return index is 1.0"}
---
One row is where a security begins. Known at the evening of `first_date`.
*/
select
    security_id,
    min(date) as first_date,
    arg_min(close, date) as first_close,
from pit.sightings
group by security_id
