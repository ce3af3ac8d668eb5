/*---
grain: [security_id]
interval: [first_date]
knowable: first_date
checks:
  - "first_close > 0"
columns:
  security_id: {type: BIGINT, doc: "the security"}
  first_date: {type: DATE, doc: "session of its first print, of those known first"}
  first_close: {type: DOUBLE, unit: inr, doc: "official close of that session as first known: where its total-return index is 1.0"}
  known_at: {type: TIMESTAMPTZ, doc: "when it was known"}
---
One row is where a security begins. Known at the evening of `first_date`. A correction of that print, or an older one that comes to light, changes
no row here: the index has to start somewhere, and ratios of it do not depend on where.
*/
select
    security_id,
    arg_min(date, (known_at, date)) as first_date,
    arg_min(close, (known_at, date)) as first_close,
    min(known_at) as known_at,
from pit.sightings
group by security_id
