-- How each portfolio's decisions were found: solved, closed form, relaxed (and what gave) or fallen back, as shares of all.
with decisions as (
    select distinct date, portfolio, method, solver_status, turnover
    from portfolio.targets
)

select
    portfolio,
    method,
    solver_status,
    count(*) as decisions,
    round(count(*) / sum(count(*)) over (partition by portfolio), 4) as share,
    round(avg(turnover), 4) as mean_turnover,
from decisions
group by portfolio, method, solver_status
order by portfolio, decisions desc
