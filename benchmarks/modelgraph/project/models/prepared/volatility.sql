/*---
checks: ["vol_60 is null or vol_60 between 0 and 5"]
---
One row is a security's session: volatility and downside volatility of sixty sessions, a year.
*/
select
    date,
    ticker,
    stddev_samp(log_ret) over last_60 * sqrt({{ year_sessions }}) as vol_60,
    sqrt(avg(least(log_ret, 0.0) * least(log_ret, 0.0)) over last_60) * sqrt({{ year_sessions }}) as downside_vol_60,
from prepared.returns
window last_60 as (partition by ticker order by date rows between 59 preceding and current row)
