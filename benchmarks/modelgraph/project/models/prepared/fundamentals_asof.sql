/*---
checks: ["period_end <= date"]
---
One row is a security's newest report on a month end.
*/
with months as (
    select date from prepared.calendar where is_month_end
)
select
    months.date,
    fundamentals.ticker,
    fundamentals.eps_inr,
    fundamentals.book_inr,
    fundamentals.period_end,
from months
join staging.fundamentals as fundamentals on fundamentals.announced_on <= months.date
qualify row_number() over (
    partition by months.date, fundamentals.ticker order by fundamentals.announced_on desc, fundamentals.period_end desc
) = 1
