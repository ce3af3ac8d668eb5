/*---
grain: [portfolio, capital_inr]
knowable: "date '9999-12-31'"
checks:
  - scale >= 0 and scale_without_impact >= 0
  - lost_ann is null or lost_ann >= -1e-12
  - {name: grid_is_of_capitals, query: "select {{ capacity_grid_inr | min }} as capital_inr where {{ capacity_grid_inr | min }} <= 0"}
  - name: at_its_own_capital_nothing_changes
    query: >-
      select curve.portfolio, curve.scale from kpis.cost_curve as curve inner join config.portfolios as portfolios
      on portfolios.portfolio = curve.portfolio and portfolios.capital_inr = curve.capital_inr where abs(curve.scale - 1) > 1e-12
columns:
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  capital_inr: {type: DOUBLE, unit: inr, doc: "cash at inception: the knob capacity_grid_inr, and the portfolio's own"}
  is_own: {type: BOOLEAN, doc: "the capital the portfolio was carried with"}
  last_date: {type: DATE, doc: "last session"}
  scale: {type: DOUBLE, unit: ratio, doc: "final value of a rupee put in, over that of a rupee in the portfolio as carried"}
  scale_without_impact: {type: DOUBLE, unit: ratio, doc: "the same, had impact cost nothing"}
  gross_cagr: {type: DOUBLE, unit: ratio a year, doc: "kpis.measures, at any capital; null under a year"}
  cagr_without_impact: {type: DOUBLE, unit: ratio a year, doc: "net of all costs but impact"}
  net_cagr: {type: DOUBLE, unit: ratio a year, doc: "net of all costs"}
  after_tax_cagr: {type: DOUBLE, unit: ratio a year, doc: "net of all costs and of taxes"}
  lost_ann: {type: DOUBLE, unit: ratio a year, doc: "what impact takes: cagr_without_impact less net_cagr"}
  participation_p95: {type: DOUBLE, unit: ratio, doc: "95th percentile of a session's trade in a name over its average daily value"}
  over_pace_share: {type: DOUBLE, unit: ratio, doc: "part of the value traded that lies above the participation a trade is planned at"}
  unknown_share: {type: DOUBLE, unit: ratio, doc: "part of the value traded whose average daily value or volatility was not known: no impact is booked for it"}
---
What a portfolio would have made with other capital: the cost model over a grid of capital. Held fixed are the trades (each the same part of the
portfolio's value, on the same day, at the same price) and the part of gains that taxes took. Charges on value and slippage stay the same part
of a trade, brokerage and depository charges the same rupees, and impact grows with the power of one and a half. Costs are taken out of the
value session by session, so a smaller value trades less from then on: with s the value over that of the portfolio as carried, F its flat charges
and I its impact of a session, V its value, s becomes s + (F (s − 1) + I (s − s^1.5)) / V.
What is not in it: orders that a participation limit would have left unfilled (over_pace_share says how many there would be), and optimisers that
would have chosen other names.
*/
with lives as (
    select
        portfolio,
        last_date,
        days,
        max(1.0 + total_return) filter (where basis = 'net') as net_growth,
        max(1.0 + total_return) filter (where basis = 'after_tax') as after_tax_growth,
        max(cagr) filter (where basis = 'gross') as gross_cagr,
    from kpis.measures
    where "window" = 'full' and basis in ('gross', 'net', 'after_tax')
    group by portfolio, last_date, days
),

costs as (
    select
        portfolio,
        date,
        {{ stable_sum('dp_inr + brokerage_inr * (1.0 + coalesce(gst_inr / nullif(brokerage_inr + exchange_inr + ipft_inr + sebi_inr, 0.0), 0.0))', 8) }} as flat_inr,
        {{ stable_sum('coalesce(impact_inr, 0.0)', 8) }} as impact_inr,
        {{ stable_sum('value_inr', 8) }} as traded_inr,
        {{ stable_sum("if(list_contains(string_split(assumed_items, ','), 'IMPACT'), value_inr, 0.0)", 8) }} as unknown_inr,
    from book.trades
    group by portfolio, date
),

paths as (
    select
        costs.portfolio,
        list(
            {'flat': costs.flat_inr, 'impact': costs.impact_inr, 'value': nav.value_inr, 'full': 0.0::double, 'free': 0.0::double}
            order by costs.date
        ) as steps,
        {{ stable_sum('costs.unknown_inr', 8) }} / nullif({{ stable_sum('costs.traded_inr', 8) }}, 0.0) as unknown_share,
    from costs
    inner join book.nav as nav on nav.portfolio = costs.portfolio and nav.date = costs.date and nav.basis = 'after_tax'
    group by costs.portfolio
),

grid as (
    select
        portfolio,
        capital_inr as own_inr,
        unnest(list_distinct([capital_inr{% for capital in capacity_grid_inr %}, {{ capital }}::double{% endfor %}])) as capital_inr,
    from config.portfolios
),

scaled as (
    select
        grid.portfolio,
        grid.capital_inr,
        grid.own_inr,
        list_reduce(
            paths.steps,
            lambda now, step: {
                'flat': step.flat,
                'impact': step.impact,
                'value': step.value,
                'full': greatest(now.full + (step.flat * (now.full - 1.0) + step.impact * (now.full - pow(now.full, 1.5))) / nullif(step.value, 0.0), 0.0),
                'free': greatest(now.free + (step.flat * (now.free - 1.0) + step.impact * now.free) / nullif(step.value, 0.0), 0.0)
            },
            {
                'flat': 0.0::double,
                'impact': 0.0::double,
                'value': 0.0::double,
                'full': grid.capital_inr / nullif(grid.own_inr, 0.0),
                'free': grid.capital_inr / nullif(grid.own_inr, 0.0)
            }
        ) as finally,
        paths.unknown_share,
    from grid
    inner join paths on paths.portfolio = grid.portfolio
),

relative as (
    select
        portfolio,
        capital_inr,
        own_inr,
        unknown_share,
        finally.full * own_inr / nullif(capital_inr, 0.0) as scale,
        finally.free * own_inr / nullif(capital_inr, 0.0) as scale_without_impact,
    from scaled
),

sizes as (
    select
        relative.portfolio,
        relative.capital_inr,
        quantile_cont(liquidity.participation, 0.95) * any_value(relative.capital_inr / nullif(relative.own_inr, 0.0)) as participation_p95,
        {{ stable_sum('liquidity.traded_inr * greatest(1.0 - liquidity.pace / nullif(liquidity.participation * relative.capital_inr / nullif(relative.own_inr, 0.0), 0.0), 0.0)', 8) }}
        / nullif({{ stable_sum('liquidity.traded_inr', 8) }}, 0.0) as over_pace_share,
    from relative
    inner join book.liquidity as liquidity on liquidity.portfolio = relative.portfolio
    where liquidity.traded_inr > 0.0
    group by relative.portfolio, relative.capital_inr
),

yearly as (
    select
        relative.*,
        lives.last_date,
        lives.gross_cagr,
        if(lives.days >= 360, pow(lives.net_growth * relative.scale_without_impact, 365.25 / nullif(lives.days, 0)) - 1.0, null) as cagr_without_impact,
        if(lives.days >= 360, pow(lives.net_growth * relative.scale, 365.25 / nullif(lives.days, 0)) - 1.0, null) as net_cagr,
        if(lives.days >= 360, pow(lives.after_tax_growth * relative.scale, 365.25 / nullif(lives.days, 0)) - 1.0, null) as after_tax_cagr,
    from relative
    inner join lives on lives.portfolio = relative.portfolio
)

select
    yearly.portfolio,
    yearly.capital_inr,
    yearly.capital_inr = yearly.own_inr as is_own,
    yearly.last_date,
    yearly.scale,
    yearly.scale_without_impact,
    yearly.gross_cagr,
    yearly.cagr_without_impact,
    yearly.net_cagr,
    yearly.after_tax_cagr,
    yearly.cagr_without_impact - yearly.net_cagr as lost_ann,
    sizes.participation_p95,
    sizes.over_pace_share,
    yearly.unknown_share,
from yearly
left join sizes on sizes.portfolio = yearly.portfolio and sizes.capital_inr = yearly.capital_inr
