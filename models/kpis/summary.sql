/*---
grain: [portfolio, basis, window, kpi]
knowable: "coalesce(make_date(try_cast(\"window\" as integer) + 1, 1, 1), date '9999-12-31')"
checks:
  - value is null or isfinite(value)
columns:
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  basis: {type: VARCHAR, doc: "gross, net, after_tax, or benchmark"}
  window: {type: VARCHAR, doc: "full; 1y, 3y, 5y up to the last session; a calendar year"}
  kpi: {type: VARCHAR, doc: "kpis.measures, kpis.turnover and kpis.tax_drag say how each is defined"}
  value: {type: DOUBLE, doc: "in the row's unit; null where it is not defined"}
  unit: {type: VARCHAR, doc: "unit of the value"}
  last_date: {type: DATE, doc: "last session of the window"}
---
Key figures, one a row. Turnover and cost drag belong to the net basis, what taxes take to the after-tax one; what compares with the benchmark, to the portfolio's own rows.
*/
with gross as (
    select
        portfolio,
        "window",
        cagr,
    from kpis.measures
    where basis = 'gross'
),

listed as (
    select
        measures.portfolio,
        measures.basis,
        measures."window",
        measures.last_date,
        unnest([
            {'kpi': 'total_return', 'value': measures.total_return, 'unit': 'ratio', 'of': 'any'},
            {'kpi': 'cagr', 'value': measures.cagr, 'unit': 'ratio a year', 'of': 'any'},
            {'kpi': 'cagr_sessions', 'value': measures.cagr_sessions, 'unit': 'ratio a year', 'of': 'any'},
            {'kpi': 'volatility_ann', 'value': measures.volatility_ann, 'unit': 'ratio a year', 'of': 'any'},
            {'kpi': 'sharpe', 'value': measures.sharpe, 'unit': 'ratio', 'of': 'any'},
            {'kpi': 'sortino', 'value': measures.sortino, 'unit': 'ratio', 'of': 'any'},
            {'kpi': 'calmar', 'value': measures.calmar, 'unit': 'ratio', 'of': 'any'},
            {'kpi': 'omega', 'value': measures.omega, 'unit': 'ratio', 'of': 'any'},
            {'kpi': 'profit_factor', 'value': measures.profit_factor, 'unit': 'ratio', 'of': 'any'},
            {'kpi': 'max_drawdown', 'value': measures.max_drawdown, 'unit': 'ratio', 'of': 'any'},
            {'kpi': 'hit_rate', 'value': measures.hit_rate, 'unit': 'ratio', 'of': 'any'},
            {'kpi': 'best_session', 'value': measures.best_session, 'unit': 'ratio', 'of': 'any'},
            {'kpi': 'worst_session', 'value': measures.worst_session, 'unit': 'ratio', 'of': 'any'},
            {'kpi': 'sessions', 'value': measures.sessions::double, 'unit': 'sessions', 'of': 'any'},
            {'kpi': 'beta', 'value': measures.beta, 'unit': 'ratio', 'of': 'portfolio'},
            {'kpi': 'alpha_ann', 'value': measures.alpha_ann, 'unit': 'ratio a year', 'of': 'portfolio'},
            {'kpi': 'correlation', 'value': measures.correlation, 'unit': 'ratio', 'of': 'portfolio'},
            {'kpi': 'tracking_error_ann', 'value': measures.tracking_error_ann, 'unit': 'ratio a year', 'of': 'portfolio'},
            {'kpi': 'information_ratio', 'value': measures.information_ratio, 'unit': 'ratio', 'of': 'portfolio'},
            {'kpi': 'turnover_ann', 'value': turnover.turnover_ann, 'unit': 'ratio a year', 'of': 'net'},
            {'kpi': 'costs_of_value_ann', 'value': turnover.costs_of_value_ann, 'unit': 'ratio a year', 'of': 'net'},
            {'kpi': 'cost_drag_ann', 'value': gross.cagr - measures.cagr, 'unit': 'ratio a year', 'of': 'net'},
            {'kpi': 'tax_of_value_ann', 'value': taxes.tax_of_value_ann, 'unit': 'ratio a year', 'of': 'after_tax'},
            {'kpi': 'tax_drag_ann', 'value': taxes.tax_drag_ann, 'unit': 'ratio a year', 'of': 'after_tax'}
        ]) as item,
    from kpis.measures as measures
    left join gross on gross.portfolio = measures.portfolio and gross."window" = measures."window"
    left join kpis.turnover as turnover
        on turnover.portfolio = measures.portfolio and turnover."window" = measures."window"
    left join kpis.tax_drag as taxes on taxes.portfolio = measures.portfolio and taxes."window" = measures."window"
)

select
    portfolio,
    basis,
    "window",
    item.kpi as kpi,
    item.value as value,
    item.unit as unit,
    last_date,
from listed
where item.of = 'any' or item.of = basis or (item.of = 'portfolio' and basis != 'benchmark')
