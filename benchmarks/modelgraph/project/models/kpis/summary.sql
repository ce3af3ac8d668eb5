/*---
grain: [book]
---
One row is a book's key figures.
*/
with curve as (
    select
        book,
        date,
        ret,
        exp(sum(ln(1 + ret)) over (partition by book order by date)) as nav,
    from book.returns
),
falls as (
    select
        book,
        date,
        ret,
        nav,
        nav / nullif(max(nav) over (partition by book order by date), 0) - 1 as drawdown,
    from curve
)
select
    book,
    count(*) as n_sessions,
    max_by(nav, date) as nav,
    avg(ret) * {{ year_sessions }} as mean_return,
    stddev_samp(ret) * sqrt({{ year_sessions }}) as volatility,
    avg(ret) / nullif(stddev_samp(ret), 0) * sqrt({{ year_sessions }}) as sharpe,
    min(drawdown) as max_drawdown,
from falls
group by book
