/*---
grain: [portfolio, security_id, from_date]
interval: [from_date, to_date]
references: {security_id: pit.securities.security_id}
checks:
  - qty > 0
  - from_date < to_date
columns:
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  security_id: {type: BIGINT, doc: "pit.securities"}
  from_date: {type: DATE, doc: "first session at whose close it was held"}
  to_date: {type: DATE, doc: "session that changed it; 9999-12-31 while it is held"}
  qty: {type: BIGINT, unit: shares, doc: "whole shares"}
knowable: to_date
---
Share counts as intervals [from_date, to_date): the sum of all changes so far. A split or a trade ends one and starts the next, so a row is
final when it ends.
*/
with changes as (
    select
        portfolio,
        security_id,
        date,
        sum(shares) as shares,
    from book.events
    where shares != 0
    group by portfolio, security_id, date
),

counted as (
    select
        portfolio,
        security_id,
        date as from_date,
        lead(date) over life as to_date,
        sum(shares) over (
            partition by portfolio, security_id order by date rows between unbounded preceding and current row
        ) as qty,
    from changes
    window life as (partition by portfolio, security_id order by date)
)

select
    portfolio,
    security_id,
    from_date,
    coalesce(to_date, date '9999-12-31') as to_date,
    qty::bigint as qty,
from counted
where qty != 0
