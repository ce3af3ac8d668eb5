/*---
checks: ["weight is not null"]
---
One row is a held name.
*/
select
    date,
    ticker,
    1.0 / count(*) over (partition by date) as weight,
from signals.alpha
where rank <= {{ top_n }}
