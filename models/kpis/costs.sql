/*---
grain: [portfolio, window, component]
knowable: "coalesce(make_date(try_cast(\"window\" as integer) + 1, 1, 1), date '9999-12-31')"
checks:
  - cost_inr >= 0
columns:
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  window: {type: VARCHAR, doc: "kpis.windows"}
  component: {type: VARCHAR, doc: "stt, exchange, ipft, sebi, stamp, gst, brokerage, dp, slippage, impact"}
  cost_inr: {type: DOUBLE, unit: inr, doc: "paid in the window"}
  bps_of_traded: {type: DOUBLE, unit: basis points, doc: "over the value bought and sold"}
  bps_of_value_ann: {type: DOUBLE, unit: basis points a year, doc: "over the average value of the portfolio"}
  last_date: {type: DATE, doc: "last session of the window"}
---
Where the costs go: each charge of the contract note, and slippage and impact, which nobody bills.
*/
with daily as (
    select
        portfolio,
        date,
        {{ stable_sum('stt_inr', 8) }} as stt_inr,
        {{ stable_sum('exchange_inr', 8) }} as exchange_inr,
        {{ stable_sum('ipft_inr', 8) }} as ipft_inr,
        {{ stable_sum('sebi_inr', 8) }} as sebi_inr,
        {{ stable_sum('stamp_inr', 8) }} as stamp_inr,
        {{ stable_sum('gst_inr', 8) }} as gst_inr,
        {{ stable_sum('brokerage_inr', 8) }} as brokerage_inr,
        {{ stable_sum('dp_inr', 8) }} as dp_inr,
        {{ stable_sum('slippage_inr', 8) }} as slippage_inr,
        {{ stable_sum('coalesce(impact_inr, 0.0)', 8) }} as impact_inr,
    from book.trades
    group by portfolio, date
),

paid as (
    select
        portfolio,
        date,
        unnest([
            {'component': 'stt', 'cost_inr': stt_inr},
            {'component': 'exchange', 'cost_inr': exchange_inr},
            {'component': 'ipft', 'cost_inr': ipft_inr},
            {'component': 'sebi', 'cost_inr': sebi_inr},
            {'component': 'stamp', 'cost_inr': stamp_inr},
            {'component': 'gst', 'cost_inr': gst_inr},
            {'component': 'brokerage', 'cost_inr': brokerage_inr},
            {'component': 'dp', 'cost_inr': dp_inr},
            {'component': 'slippage', 'cost_inr': slippage_inr},
            {'component': 'impact', 'cost_inr': impact_inr}
        ]) as item,
    from daily
),

summed as (
    select
        turnover.portfolio,
        turnover."window",
        paid.item.component as component,
        {{ stable_sum('paid.item.cost_inr', 8) }} as cost_inr,
    from kpis.turnover as turnover
    inner join paid
        on paid.portfolio = turnover.portfolio and paid.date > turnover.base_date and paid.date <= turnover.last_date
    group by turnover.portfolio, turnover."window", paid.item.component
)

select
    summed.portfolio,
    summed."window",
    summed.component,
    summed.cost_inr,
    1e4 * summed.cost_inr / nullif(turnover.bought_inr + turnover.sold_inr, 0.0) as bps_of_traded,
    1e4 * summed.cost_inr * 365.25
    / nullif(turnover.average_value_inr * date_diff('day', turnover.base_date, turnover.last_date), 0.0)
        as bps_of_value_ann,
    turnover.last_date,
from summed
inner join kpis.turnover as turnover
    on turnover.portfolio = summed.portfolio and turnover."window" = summed."window"
