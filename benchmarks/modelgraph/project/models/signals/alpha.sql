/*---
checks: ["score is not null"]
---
One row is a name on a month end with its blended score.
*/
with blended as (
    select
        date,
        ticker,
        sector,
        0.4 * coalesce(momentum, 0) + 0.3 * coalesce(quality, 0) + 0.2 * coalesce(value, 0) + 0.1 * coalesce(size, 0)
            as score,
    from signals.zscores
)
select
    date,
    ticker,
    sector,
    score,
    row_number() over (partition by date order by score desc, ticker) as rank,
from blended
