/*---
grain: [portfolio, window, component]
knowable: last_date
checks:
  - cost_inr >= 0
columns:
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  window: {type: VARCHAR, doc: "kpis.windows"}
  component: {type: VARCHAR, doc: "stt, exchange, ipft, sebi, stamp, gst, brokerage, dp, slippage"}
  cost_inr: {type: DOUBLE, unit: inr, doc: "paid in the window"}
  bps_of_traded: {type: DOUBLE, unit: basis points, doc: "over the value bought and sold"}
  bps_of_value_ann: {type: DOUBLE, unit: basis points a year, doc: "over the average value of the portfolio"}
  last_date: {type: DATE, doc: "last session of the window"}
---
Where the costs go.
*/
with paid as (
    select
        portfolio,
        date,
        seq,
        unnest([
            {'component': 'stt', 'cost_inr': stt_inr},
            {'component': 'exchange', 'cost_inr': exchange_inr},
            {'component': 'ipft', 'cost_inr': ipft_inr},
            {'component': 'sebi', 'cost_inr': sebi_inr},
            {'component': 'stamp', 'cost_inr': stamp_inr},
            {'component': 'gst', 'cost_inr': gst_inr},
            {'component': 'brokerage', 'cost_inr': brokerage_inr},
            {'component': 'dp', 'cost_inr': dp_inr},
            {'component': 'slippage', 'cost_inr': slippage_inr}
        ]) as item,
    from book.trades
)

select
    turnover.portfolio,
    turnover."window",
    paid.item.component as component,
    sum(paid.item.cost_inr order by paid.seq) as cost_inr,
    1e4 * sum(paid.item.cost_inr order by paid.seq) / nullif(turnover.bought_inr + turnover.sold_inr, 0.0) as bps_of_traded,
    1e4 * sum(paid.item.cost_inr order by paid.seq)
    / nullif(turnover.average_value_inr * date_diff('day', turnover.base_date, turnover.last_date) / 365.25, 0.0)
        as bps_of_value_ann,
    turnover.last_date,
from kpis.turnover as turnover
inner join paid
    on paid.portfolio = turnover.portfolio and paid.date > turnover.base_date and paid.date <= turnover.last_date
group by
    turnover.portfolio,
    turnover."window",
    paid.item.component,
    turnover.bought_inr,
    turnover.sold_inr,
    turnover.average_value_inr,
    turnover.base_date,
    turnover.last_date
