/*---
grain: [date, security_id]
checks: ["ret is null or ret > -1", "true_range >= 0"]
---
One row is a security's session: return, running number, true range.
*/
select
    date,
    security_id,
    close,
    turnover_inr,
    close / nullif(lag(close) over by_session, 0) - 1 as ret,
    row_number() over by_session as n_sessions,
    greatest(high - low, abs(high - lag(close) over by_session), abs(low - lag(close) over by_session)) as true_range,
from pit.prices
window by_session as (partition by security_id order by date)
