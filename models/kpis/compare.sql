/*---
grain: [portfolio]
knowable: "date '9999-12-31'"
checks:
  - base_date < last_date
columns:
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  base_date: {type: DATE, doc: "session from whose close all are compared: the latest inception among them"}
  last_date: {type: DATE, doc: "last session"}
  cagr_gross: {type: DOUBLE, unit: ratio a year, doc: "kpis.measures, before costs and taxes"}
  cagr_net: {type: DOUBLE, unit: ratio a year, doc: "kpis.measures, after costs, before taxes"}
  cagr_after_tax: {type: DOUBLE, unit: ratio a year, doc: "kpis.measures, what happened"}
  cagr_benchmark: {type: DOUBLE, unit: ratio a year, doc: "kpis.measures of what it is measured against"}
  volatility_ann_gross: {type: DOUBLE, unit: ratio a year, doc: "kpis.measures, before costs and taxes"}
  volatility_ann_net: {type: DOUBLE, unit: ratio a year, doc: "kpis.measures, after costs, before taxes"}
  volatility_ann_after_tax: {type: DOUBLE, unit: ratio a year, doc: "kpis.measures, what happened"}
  volatility_ann_benchmark: {type: DOUBLE, unit: ratio a year, doc: "kpis.measures of what it is measured against"}
  sharpe_gross: {type: DOUBLE, unit: ratio, doc: "kpis.measures, before costs and taxes"}
  sharpe_net: {type: DOUBLE, unit: ratio, doc: "kpis.measures, after costs, before taxes"}
  sharpe_after_tax: {type: DOUBLE, unit: ratio, doc: "kpis.measures, what happened"}
  sharpe_benchmark: {type: DOUBLE, unit: ratio, doc: "kpis.measures of what it is measured against"}
  sortino_gross: {type: DOUBLE, unit: ratio, doc: "kpis.measures, before costs and taxes"}
  sortino_net: {type: DOUBLE, unit: ratio, doc: "kpis.measures, after costs, before taxes"}
  sortino_after_tax: {type: DOUBLE, unit: ratio, doc: "kpis.measures, what happened"}
  calmar_gross: {type: DOUBLE, unit: ratio, doc: "kpis.measures, before costs and taxes"}
  calmar_net: {type: DOUBLE, unit: ratio, doc: "kpis.measures, after costs, before taxes"}
  calmar_after_tax: {type: DOUBLE, unit: ratio, doc: "kpis.measures, what happened"}
  omega_gross: {type: DOUBLE, unit: ratio, doc: "kpis.measures, before costs and taxes"}
  omega_net: {type: DOUBLE, unit: ratio, doc: "kpis.measures, after costs, before taxes"}
  omega_after_tax: {type: DOUBLE, unit: ratio, doc: "kpis.measures, what happened"}
  profit_factor_gross: {type: DOUBLE, unit: ratio, doc: "kpis.measures, before costs and taxes"}
  profit_factor_net: {type: DOUBLE, unit: ratio, doc: "kpis.measures, after costs, before taxes"}
  profit_factor_after_tax: {type: DOUBLE, unit: ratio, doc: "kpis.measures, what happened"}
  max_drawdown_gross: {type: DOUBLE, unit: ratio, doc: "kpis.measures, before costs and taxes"}
  max_drawdown_net: {type: DOUBLE, unit: ratio, doc: "kpis.measures, after costs, before taxes"}
  max_drawdown_after_tax: {type: DOUBLE, unit: ratio, doc: "kpis.measures, what happened"}
  max_drawdown_benchmark: {type: DOUBLE, unit: ratio, doc: "kpis.measures of what it is measured against"}
  beta: {type: DOUBLE, unit: ratio, doc: "kpis.measures, after costs"}
  information_ratio: {type: DOUBLE, unit: ratio, doc: "kpis.measures, after costs"}
  turnover_ann: {type: DOUBLE, unit: ratio a year, doc: "kpis.turnover"}
  cost_drag_ann: {type: DOUBLE, unit: ratio a year, doc: "what costs took of the CAGR: gross less net"}
  tax_drag_ann: {type: DOUBLE, unit: ratio a year, doc: "what taxes took of the CAGR: net less after tax"}
  capacity_inr: {type: DOUBLE, unit: inr, doc: "kpis.capacity: capital at which impact has taken a stated amount of the net CAGR; null where none of the grid does"}
  is_beyond_grid: {type: BOOLEAN, doc: "kpis.capacity: the largest capital of the grid still loses less"}
---
Portfolios side by side, over the time that all of them have lived: before costs, after costs, after taxes, and what each is measured
against. Whole lives and other windows are in kpis.summary.
*/
with sides as (
    select
        portfolio,
        max(base_date) filter (where basis = 'net') as base_date,
        max(last_date) filter (where basis = 'net') as last_date,
        max(cagr) filter (where basis = 'gross') as cagr_gross,
        max(cagr) filter (where basis = 'net') as cagr_net,
        max(cagr) filter (where basis = 'after_tax') as cagr_after_tax,
        max(cagr) filter (where basis = 'benchmark') as cagr_benchmark,
        max(volatility_ann) filter (where basis = 'gross') as volatility_ann_gross,
        max(volatility_ann) filter (where basis = 'net') as volatility_ann_net,
        max(volatility_ann) filter (where basis = 'after_tax') as volatility_ann_after_tax,
        max(volatility_ann) filter (where basis = 'benchmark') as volatility_ann_benchmark,
        max(sharpe) filter (where basis = 'gross') as sharpe_gross,
        max(sharpe) filter (where basis = 'net') as sharpe_net,
        max(sharpe) filter (where basis = 'after_tax') as sharpe_after_tax,
        max(sharpe) filter (where basis = 'benchmark') as sharpe_benchmark,
        max(sortino) filter (where basis = 'gross') as sortino_gross,
        max(sortino) filter (where basis = 'net') as sortino_net,
        max(sortino) filter (where basis = 'after_tax') as sortino_after_tax,
        max(calmar) filter (where basis = 'gross') as calmar_gross,
        max(calmar) filter (where basis = 'net') as calmar_net,
        max(calmar) filter (where basis = 'after_tax') as calmar_after_tax,
        max(omega) filter (where basis = 'gross') as omega_gross,
        max(omega) filter (where basis = 'net') as omega_net,
        max(omega) filter (where basis = 'after_tax') as omega_after_tax,
        max(profit_factor) filter (where basis = 'gross') as profit_factor_gross,
        max(profit_factor) filter (where basis = 'net') as profit_factor_net,
        max(profit_factor) filter (where basis = 'after_tax') as profit_factor_after_tax,
        max(max_drawdown) filter (where basis = 'gross') as max_drawdown_gross,
        max(max_drawdown) filter (where basis = 'net') as max_drawdown_net,
        max(max_drawdown) filter (where basis = 'after_tax') as max_drawdown_after_tax,
        max(max_drawdown) filter (where basis = 'benchmark') as max_drawdown_benchmark,
        max(beta) filter (where basis = 'net') as beta,
        max(information_ratio) filter (where basis = 'net') as information_ratio,
    from kpis.measures
    where "window" = 'common'
    group by portfolio
)

select
    sides.portfolio,
    sides.base_date,
    sides.last_date,
    sides.cagr_gross,
    sides.cagr_net,
    sides.cagr_after_tax,
    sides.cagr_benchmark,
    sides.volatility_ann_gross,
    sides.volatility_ann_net,
    sides.volatility_ann_after_tax,
    sides.volatility_ann_benchmark,
    sides.sharpe_gross,
    sides.sharpe_net,
    sides.sharpe_after_tax,
    sides.sharpe_benchmark,
    sides.sortino_gross,
    sides.sortino_net,
    sides.sortino_after_tax,
    sides.calmar_gross,
    sides.calmar_net,
    sides.calmar_after_tax,
    sides.omega_gross,
    sides.omega_net,
    sides.omega_after_tax,
    sides.profit_factor_gross,
    sides.profit_factor_net,
    sides.profit_factor_after_tax,
    sides.max_drawdown_gross,
    sides.max_drawdown_net,
    sides.max_drawdown_after_tax,
    sides.max_drawdown_benchmark,
    sides.beta,
    sides.information_ratio,
    turnover.turnover_ann,
    sides.cagr_gross - sides.cagr_net as cost_drag_ann,
    sides.cagr_net - sides.cagr_after_tax as tax_drag_ann,
    capacity.capacity_inr,
    capacity.is_beyond_grid,
from sides
left join kpis.turnover as turnover on turnover.portfolio = sides.portfolio and turnover."window" = 'common'
left join kpis.capacity as capacity on capacity.portfolio = sides.portfolio
