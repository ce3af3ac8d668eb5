/*---
grain: [date]
---
One row is a session: return, drawdown, and rolling volatility and Sharpe ratio.
*/
with steps as (
    select
        date,
        nav,
        nav / nullif(max(nav) over (order by date rows unbounded preceding), 0) - 1 as drawdown,
        nav / nullif(lag(nav) over (order by date), 0) - 1 as ret,
    from book.nav
)
select
    date,
    nav,
    drawdown,
    ret,
    stddev_samp(ret) over quarter * sqrt({{ year_sessions }}) as volatility,
    avg(ret) over year / nullif(stddev_samp(ret) over year, 0) * sqrt({{ year_sessions }}) as sharpe,
from steps
window
    quarter as (order by date rows between {{ quarter_sessions - 1 }} preceding and current row),
    year as (order by date rows between {{ year_sessions - 1 }} preceding and current row)
