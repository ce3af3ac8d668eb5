/*---
grain: [account, window, side, against]
knowable: "coalesce(make_date(try_cast(\"window\" as integer) + 1, 1, 1), date '9999-12-31')"
checks:
  - p50_bps <= p95_bps
  - value_inr > 0
columns:
  account: {type: VARCHAR, doc: "the account at a broker"}
  window: {type: VARCHAR, doc: "all, or a calendar year"}
  side: {type: VARCHAR, doc: "all, buy or sell"}
  against: {type: VARCHAR, doc: "decision, arrival or model (book.slippage)"}
  orders: {type: BIGINT, doc: "orders: the fills of one number, day, name and side"}
  value_inr: {type: DOUBLE, unit: inr, doc: "their value"}
  mean_bps: {type: DOUBLE, unit: basis points, doc: "mean, weighted by value"}
  p50_bps: {type: DOUBLE, unit: basis points, doc: "half the orders did no worse"}
  p95_bps: {type: DOUBLE, unit: basis points, doc: "nineteen orders of twenty did no worse"}
  cost_inr: {type: DOUBLE, unit: inr, doc: "what it came to; below zero, what was gained"}
---
Slippage of an account's orders: half of them cost p50 or less, nineteen of twenty p95 or less. A year counts the fills its evenings heard of.
*/
with fills as (
    select
        date,
        account,
        order_id,
        trade_date,
        security_id,
        side,
        value_inr,
        unnest([
            {'against': 'decision', 'bps': decision_bps},
            {'against': 'arrival', 'bps': arrival_bps},
            {'against': 'model', 'bps': model_bps}
        ]) as cost,
    from book.slippage
),

orders as (
    select
        max(date) as date,
        account,
        order_id,
        trade_date,
        security_id,
        side,
        cost.against as against,
        {{ stable_sum('value_inr', 8) }} as value_inr,
        {{ stable_sum('value_inr * cost.bps', 8) }} / nullif({{ stable_sum('value_inr', 8) }}, 0.0) as bps,
    from fills
    where cost.bps is not null
    group by account, order_id, trade_date, security_id, side, year(date), cost.against
),

spread as (
    select
        orders.*,
        unnest(['all', year(date)::varchar]) as "window",
    from orders
),

sided as (
    select
        spread.* exclude (side),
        unnest(['all', side]) as side,
    from spread
)

select
    account,
    "window",
    side,
    against,
    count(*) as orders,
    {{ stable_sum('value_inr', 8) }} as value_inr,
    {{ stable_sum('value_inr * bps', 8) }} / nullif({{ stable_sum('value_inr', 8) }}, 0.0) as mean_bps,
    quantile_cont(bps, 0.5) as p50_bps,
    quantile_cont(bps, 0.95) as p95_bps,
    {{ stable_sum('value_inr * bps', 8) }} / 1e4 as cost_inr,
from sided
group by account, "window", side, against
