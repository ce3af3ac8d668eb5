/*---
grain: [rebalanced_on, date, security_id]
checks: ["value > 0"]
---
One row is a held name on a session until the next rebalance: its worth for one rupee of portfolio at the rebalance.
A name without a print keeps its last price.
*/
with targets as (
    select
        date,
        security_id,
        1.0 / count(*) over (partition by date) as weight,
    from signals.score
    where rank <= {{ top_n }}
),
periods as (
    select
        date as rebalanced_on,
        lead(date, 1, (select max(date) from pit.sessions)) over (order by date) as until,
    from (select distinct date from targets)
),
held as (
    select
        periods.rebalanced_on,
        sessions.date,
        targets.security_id,
        targets.weight,
    from periods
    join targets on targets.date = periods.rebalanced_on
    join pit.sessions as sessions on sessions.date >= periods.rebalanced_on and sessions.date <= periods.until
),
priced as (
    select
        held.rebalanced_on,
        held.date,
        held.security_id,
        held.weight,
        last_value(returns.close ignore nulls) over (
            partition by held.rebalanced_on, held.security_id order by held.date
        ) as close,
        first_value(returns.close) over (
            partition by held.rebalanced_on, held.security_id order by held.date
        ) as first_close,
    from held
    left join pit.returns as returns on returns.security_id = held.security_id and returns.date = held.date
)
select
    rebalanced_on,
    date,
    security_id,
    weight,
    weight * close / nullif(first_close, 0) as value,
from priced
where date > rebalanced_on
