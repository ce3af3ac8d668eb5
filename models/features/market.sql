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
value they traded the session before (known before the return), as known at the decision of the date. Beta is measured against it.
*/
with tracks as not materialized (
    {{ returns_by_track('date, session_no, security_id, kind, turnover_inr, ret') }}
),

weighted as (
    select
        track,
        security_id,
        date,
        session_no,
        kind,
        ret,
        -- a return is over one session, so the print before it is of the session before
        lag(turnover_inr) over (partition by track order by session_no) as weight_inr,
    from tracks
)

select
    weighted.date,
    weighted.session_no,
    {{ stable_sum('weighted.ret * weighted.weight_inr', 2) }} / nullif({{ stable_sum('weighted.weight_inr', 2) }}, 0) as ret,
    count(*) as n_names,
from weighted
{{ join_vintages('weighted', 'weighted.date') }}
where weighted.kind = 'equity' and weighted.ret is not null and weighted.weight_inr > 0
    and weighted.track = coalesce(vintages.track, weighted.security_id)
group by weighted.date, weighted.session_no
