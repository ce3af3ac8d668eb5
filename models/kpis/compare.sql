/*---
grain: [portfolio, basis]
knowable: "date '9999-12-31'"
columns:
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  basis: {type: VARCHAR, doc: "gross, net, or benchmark"}
  base_date: {type: DATE, doc: "inception, or the benchmark's first level after it"}
  last_date: {type: DATE, doc: "last session"}
  cagr: {type: DOUBLE, unit: ratio a year, doc: "kpis.measures"}
  volatility_ann: {type: DOUBLE, unit: ratio a year, doc: "kpis.measures"}
  sharpe: {type: DOUBLE, unit: ratio, doc: "kpis.measures"}
  sortino: {type: DOUBLE, unit: ratio, doc: "kpis.measures"}
  calmar: {type: DOUBLE, unit: ratio, doc: "kpis.measures"}
  omega: {type: DOUBLE, unit: ratio, doc: "kpis.measures"}
  profit_factor: {type: DOUBLE, unit: ratio, doc: "kpis.measures"}
  max_drawdown: {type: DOUBLE, unit: ratio, doc: "kpis.measures"}
  hit_rate: {type: DOUBLE, unit: ratio, doc: "kpis.measures"}
  beta: {type: DOUBLE, unit: ratio, doc: "kpis.measures"}
  information_ratio: {type: DOUBLE, unit: ratio, doc: "kpis.measures"}
  turnover_ann: {type: DOUBLE, unit: ratio a year, doc: "kpis.turnover; null for a benchmark"}
  cost_drag_ann: {type: DOUBLE, unit: ratio a year, doc: "what costs took of the gross CAGR; null for a benchmark"}
---
Portfolios side by side over their whole lives, before costs, after costs, and their benchmarks.
*/
with lives as (
    select *
    from kpis.measures
    where "window" = 'full'
),

gross as (
    select
        portfolio,
        cagr,
    from lives
    where basis = 'gross'
)

select
    lives.portfolio,
    lives.basis,
    lives.base_date,
    lives.last_date,
    lives.cagr,
    lives.volatility_ann,
    lives.sharpe,
    lives.sortino,
    lives.calmar,
    lives.omega,
    lives.profit_factor,
    lives.max_drawdown,
    lives.hit_rate,
    lives.beta,
    lives.information_ratio,
    case when lives.basis != 'benchmark' then turnover.turnover_ann end as turnover_ann,
    case when lives.basis != 'benchmark' then gross.cagr - lives.cagr end as cost_drag_ann,
from lives
inner join gross on gross.portfolio = lives.portfolio
left join kpis.turnover as turnover on turnover.portfolio = lives.portfolio and turnover."window" = 'full'
