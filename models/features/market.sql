/*---
kind: incremental
look_back: 1
grain: [date]
order: [date]
checks:
  - "n_names > 0"
  - "ret > -1"
columns:
  date: {type: DATE, doc: "session"}
  session_no: {type: INTEGER, doc: "number of the session"}
  ret: {type: DOUBLE, unit: ratio, doc: "return of all shares, weighted by the value traded the session before"}
  n_names: {type: BIGINT, unit: count, doc: "shares with a return"}
---
One row is the return of the whole market over one session, made from our own prices so that it exists on every session: shares weighted by the
value they traded the session before (known before the return). Beta is measured against it.
*/
with weighted as (
    select
        date,
        session_no,
        kind,
        ret,
        -- a return is over one session, so the print before it is of the session before
        lag(turnover_inr) over (partition by security_id order by session_no) as weight_inr,
    from pit.returns
)

select
    date,
    session_no,
    {{ stable_sum('ret * weight_inr', 2) }} / nullif({{ stable_sum('weight_inr', 2) }}, 0) as ret,
    count(*) as n_names,
from weighted
where kind = 'equity' and ret is not null and weight_inr > 0
group by date, session_no
