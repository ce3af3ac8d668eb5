/*---
grain: [date]
checks: ["nav > 0"]
---
One row is a session: worth of one rupee invested, weights drifting between rebalances, cost paid on what is traded.
*/
with growth as (
    select
        rebalanced_on,
        date,
        {{ stable_sum('value') }} as growth,
    from book.holdings
    group by rebalanced_on, date
),
ends as (
    select
        rebalanced_on,
        max(date) as until,
        max_by(growth, date) as growth,
    from growth
    group by rebalanced_on
),
drifted as (
    select
        ends.until as date,
        holdings.security_id,
        holdings.value / nullif(ends.growth, 0) as weight,
    from ends
    join book.holdings as holdings on holdings.rebalanced_on = ends.rebalanced_on and holdings.date = ends.until
),
targets as (
    select distinct
        rebalanced_on as date,
        security_id,
        weight,
    from book.holdings
),
traded as (
    select
        coalesce(targets.date, drifted.date) as date,
        {{ stable_sum('abs(coalesce(targets.weight, 0) - coalesce(drifted.weight, 0))') }} as turnover,
    from targets
    full join drifted on drifted.date = targets.date and drifted.security_id = targets.security_id
    group by 1
),
kept as (
    select
        ends.rebalanced_on,
        ends.growth,
        1 - {{ cost_share }} * traded.turnover as after_costs,
    from ends
    join traded on traded.date = ends.rebalanced_on
),
bases as (
    select
        rebalanced_on,
        after_costs,
        exp(coalesce(sum(ln(growth * after_costs)) over (
            order by rebalanced_on rows between unbounded preceding and 1 preceding
        ), 0)) as base,
    from kept
)
select
    growth.date,
    bases.base * bases.after_costs * growth.growth as nav,
from growth
join bases on bases.rebalanced_on = growth.rebalanced_on
