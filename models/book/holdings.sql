/*---
grain: [portfolio, security_id, from_date]
checks:
  - qty > 0
  - from_date < to_date
columns:
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  security_id: {type: BIGINT, doc: "pit.securities"}
  from_date: {type: DATE, doc: "first session at whose close it was held"}
  to_date: {type: DATE, doc: "session that changed it; 9999-12-31 while it is held"}
  qty: {type: HUGEINT, unit: shares, doc: "whole shares"}
knowable: from_date
---
Share counts as intervals [from_date, to_date): the sum of all changes so far. What a split or a sale changes starts a row.
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
        coalesce(lead(date) over life, date '9999-12-31') as to_date,
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
    to_date,
    qty,
from counted
where qty != 0
