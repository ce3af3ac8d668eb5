/*---
grain: [portfolio, from_date]
interval: [from_date, to_date]
order: [portfolio, from_date]
knowable: to_date
checks:
  - from_date < to_date
columns:
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  from_date: {type: DATE, doc: "first session at whose close so much was unpaid"}
  to_date: {type: DATE, doc: "session that changed it; 9999-12-31 while it is so"}
  unpaid_inr: {type: DOUBLE, unit: inr, doc: "tax on everything sold so far less what was paid; below zero where that was too much and comes back with the return"}
---
Tax that was accrued and not paid, as intervals. The value of a portfolio (book.nav) does not deduct it: tax is paid when it is due, and this
says what is still to come. Nothing is set aside for gains that were not taken.
*/
with told as (
    select
        portfolio,
        date,
        arg_max(tax_inr, seq) as unpaid_inr,
    from book.events
    where kind = 'assessment' and reason = 'unpaid'
    group by portfolio, date
)

select
    portfolio,
    date as from_date,
    coalesce(lead(date) over (partition by portfolio order by date), date '9999-12-31') as to_date,
    unpaid_inr,
from told
