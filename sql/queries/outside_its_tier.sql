-- Where portfolios are outside their tier of capacity today: what is not covered by an exception, the newest first.
select
    violations.date,
    violations.portfolio,
    violations.tier,
    violations.ticker,
    violations."limit",
    round(violations.value, 4) as value,
    round(violations.allowed, 4) as allowed,
from kpis.capacity_violations as violations
where not violations.is_excepted
order by violations.date desc, violations.portfolio, violations.ticker
