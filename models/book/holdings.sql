/*---
grain: [portfolio, security_id, from_date]
references: {security_id: pit.securities.security_id}
checks:
  - qty > 0
  - from_date < to_date
columns:
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  security_id: {type: BIGINT, doc: "pit.securities"}
  from_date: {type: DATE, doc: "first session at whose close it was held"}
  to_date: {type: DATE, doc: "session that changed it; 9999-12-31 while it is held"}
  from_no: {type: INTEGER, doc: "number of the session from_date"}
  to_no: {type: INTEGER, doc: "number of the session to_date; one after the last session while it is held"}
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
    counted.portfolio,
    counted.security_id,
    counted.from_date,
    coalesce(counted.to_date, date '9999-12-31') as to_date,
    starts.session_no as from_no,
    coalesce(ends.session_no, (select max(session_no) + 1 from pit.sessions)) as to_no,
    counted.qty::bigint as qty,
from counted
inner join pit.sessions as starts on starts.date = counted.from_date
left join pit.sessions as ends on ends.date = counted.to_date
where counted.qty != 0
