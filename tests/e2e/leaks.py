"""Models that see the future, as people write them without noticing: each is a file that a user adds."""

from __future__ import annotations

LEAKS = {
    # the next value of a factor
    "factors/next_value.sql": """/*---
date: date
grain: [date, security_id]
---
Low volatility, one decision early.
*/
select
    date,
    security_id,
    coalesce(lead(value) over (partition by security_id order by date), 0.0) as value,
from factors.low_vol
""",
    # a moving average that is centred
    "features/smooth.sql": """/*---
date: date
grain: [date, security_id]
---
A smooth return.
*/
select
    date,
    security_id,
    avg(ret) over (
        partition by security_id order by session_no rows between 3 preceding and 3 following
    ) as smooth_ret,
from pit.returns
""",
    # standardised with the mean and deviation of all times
    "factors/standard.sql": """/*---
date: date
grain: [date, security_id]
---
Beta, standardised.
*/
select
    date,
    security_id,
    (value - avg(value) over ()) / nullif(stddev_samp(value) over (), 0) as value,
from factors.beta
""",
    # the end of a month is the last session in the data
    "universe/month_ends.sql": """/*---
date: date
grain: [date]
knowable: date
---
Whether a session ends its month.
*/
select
    date,
    date = max(date) over (partition by date_trunc('month', date)) as is_month_end,
from pit.sessions
""",
    # only names that are there at the end
    "universe/survivors.sql": """/*---
date: date
grain: [date, security_id]
knowable: date
---
Members that made it.
*/
select
    members.date,
    members.security_id,
from universe.members as members
where members.security_id in (
    select last_prices.security_id
    from pit.prices as last_prices
    where last_prices.date = (select max(date) from pit.sessions)
)
""",
    # holes are filled with what came next
    "features/index_levels.sql": """/*---
date: date
grain: [date, benchmark, kind]
---
The index, without holes.
*/
with weekly as (
    select
        date,
        benchmark,
        kind,
        case when dayofweek(date) = 3 then level end as level,
    from pit.benchmarks
)

select
    date,
    benchmark,
    kind,
    first_value(level ignore nulls) over (
        partition by benchmark, kind order by date rows between current row and unbounded following
    ) as level,
from weekly
""",
    # the newest restatement, from the day of the first filing on
    "pit/results.sql": """/*---
grain: [symbol, period_end, consolidated]
---
Results of a period.
*/
select
    symbol,
    period_end,
    consolidated,
    min(known_at) as known_at,
    arg_max(revenue_inr, known_at) as revenue_inr,
from raw.fundamentals
group by symbol, period_end, consolidated
""",
    # prices adjusted by actions nobody had heard of
    "features/adjusted.sql": """/*---
date: date
grain: [date, security_id]
---
Adjusted closes.
*/
select
    prices.date,
    prices.security_id,
    any_value(prices.close) * coalesce(product(actions.price_factor), 1.0) as close,
from pit.prices as prices
left join pit.corporate_actions as actions
    on actions.security_id = prices.security_id and actions.ex_date > prices.date
group by prices.date, prices.security_id
""",
    # the same in Python
    "features/turning.py": '''"""---
date: date
grain: [date, security_id]
columns:
  date: {type: DATE, doc: "session"}
  security_id: {type: BIGINT, doc: "pit.securities"}
  turn: {type: DOUBLE, unit: ratio, doc: "the next return"}
---
Where a name turns.
"""

import polars as pl


def model(returns: pl.DataFrame) -> pl.DataFrame:
    """The next return of each name."""
    ordered = returns.sort("security_id", "date")
    return ordered.select("date", "security_id", turn=pl.col("ret").shift(-1).over("security_id"))
''',
}
