/*---
date: date
grain: [portfolio, basis, date]
order: [portfolio, basis, date]
knowable: date
checks:
  - nav > 0
  - drawdown <= 0 and drawdown > -1
columns:
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  basis: {type: VARCHAR, doc: "gross, net, after_tax, or benchmark"}
  date: {type: DATE, doc: "session"}
  session_no: {type: INTEGER, doc: "pit.sessions"}
  nav: {type: DOUBLE, unit: ratio, doc: "one rupee at the inception"}
  ret: {type: DOUBLE, unit: ratio, doc: "return since the session before; null at the inception, and around a benchmark's holes"}
  benchmark_ret: {type: DOUBLE, unit: ratio, doc: "the benchmark's return of the same session; null on the benchmark's own rows"}
  drawdown: {type: DOUBLE, unit: ratio, doc: "below the highest NAV since the inception, which counts as 1.0"}
---
Every curve that is measured, side by side: what the KPIs, drawdowns and charts read.
*/
with paths as (
    select
        nav.portfolio,
        nav.basis,
        nav.date,
        nav.session_no,
        nav.nav,
        nav.nav / nullif(lag(nav.nav) over path, 0.0) - 1.0 as ret,
        benchmark.ret as benchmark_ret,
    from book.nav as nav
    left join kpis.benchmark as benchmark on benchmark.portfolio = nav.portfolio and benchmark.date = nav.date
    window path as (partition by nav.portfolio, nav.basis order by nav.session_no)
    union all
    select
        portfolio,
        'benchmark' as basis,
        date,
        session_no,
        nav,
        ret,
        null::double as benchmark_ret,
    from kpis.benchmark
)

select
    portfolio,
    basis,
    date,
    session_no,
    nav,
    ret,
    benchmark_ret,
    nav / nullif(max(nav) over (
        partition by portfolio, basis order by session_no rows between unbounded preceding and current row
    ), 0.0) - 1.0 as drawdown,
from paths
