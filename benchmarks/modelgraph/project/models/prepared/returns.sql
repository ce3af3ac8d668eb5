/*---
grain: [date, ticker]
checks: ["close is not null"]
---
One row is a security's session.
*/
select
    prices.date,
    prices.ticker,
    calendar.session_no,
    prices.close,
    prices.close * prices.volume as turnover_inr,
    ln(prices.close / nullif(lag(prices.close) over (partition by prices.ticker order by prices.date), 0)) as log_ret,
from staging.prices as prices
join prepared.calendar as calendar on calendar.date = prices.date
