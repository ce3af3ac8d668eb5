/*---
checks: ["max_drawdown <= 0"]
---
One row: the key figures of the curve.
*/
select
    (last(nav order by date) / nullif(first(nav order by date), 0)) ** ({{ year_sessions }}::double / nullif(count(*), 0)) - 1 as cagr,
    avg(ret order by date) / nullif(stddev_samp(ret order by date), 0) * sqrt({{ year_sessions }}) as sharpe,
    min(drawdown) as max_drawdown,
    sum(greatest(ret, 0) order by date) / nullif(-sum(least(ret, 0) order by date), 0) as profit_factor,
from kpis.curve
