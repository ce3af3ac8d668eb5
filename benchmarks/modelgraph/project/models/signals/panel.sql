/*---
grain: [date, ticker]
---
One row is an eligible name on a month end with its factors.
*/
select
    eligible.date,
    eligible.ticker,
    eligible.sector,
    momentum.value as momentum,
    quality.value as quality,
    earnings.value as value,
    size.value as size,
from universe.eligible as eligible
join factors.momentum as momentum on momentum.date = eligible.date and momentum.ticker = eligible.ticker
join factors.quality as quality on quality.date = eligible.date and quality.ticker = eligible.ticker
left join factors.value as earnings on earnings.date = eligible.date and earnings.ticker = eligible.ticker
left join factors.size as size on size.date = eligible.date and size.ticker = eligible.ticker
