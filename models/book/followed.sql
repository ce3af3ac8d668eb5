/*---
grain: [security_id]
interval: [first_date]
references: {security_id: pit.securities.security_id}
knowable: first_date
columns:
  security_id: {type: BIGINT, doc: "pit.securities"}
  first_date: {type: DATE, doc: "the first decision that wanted it"}
---
One row is a security some portfolio has ever wanted: from that day on the ledger needs its prices.
*/
select
    security_id,
    min(date) as first_date,
from portfolio.targets
group by security_id
