/*---
grain: [portfolio]
knowable: "date '9999-12-31'"
checks:
  - capacity_inr is null or capacity_inr > 0
  - is_beyond_grid = false or capacity_inr is null
  - {name: a_loss_is_stated, query: "select {{ capacity_loss_pct }} as capacity_loss_pct where {{ capacity_loss_pct }} <= 0"}
columns:
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  capital_inr: {type: DOUBLE, unit: inr, doc: "cash at inception, as carried"}
  last_date: {type: DATE, doc: "last session"}
  capacity_inr: {type: DOUBLE, unit: inr, doc: "cash at inception at which impact takes capacity_loss_pct of net CAGR; null where no capital of the grid loses so much, or the life is under a year"}
  is_beyond_grid: {type: BOOLEAN, doc: "the largest capital of the grid still loses less"}
  lost_ann: {type: DOUBLE, unit: ratio a year, doc: "what impact takes of net CAGR at the capital as carried"}
  net_cagr: {type: DOUBLE, unit: ratio a year, doc: "at the capital as carried"}
  participation_p50: {type: DOUBLE, unit: ratio, doc: "median of a session's trade in a name over its average daily value"}
  participation_p95: {type: DOUBLE, unit: ratio, doc: "its 95th percentile"}
  exit_days_p50: {type: DOUBLE, unit: sessions, doc: "median over sessions of the sessions it takes to sell nine tenths of the book"}
  exit_days_p95: {type: DOUBLE, unit: sessions, doc: "its 95th percentile"}
  exit_days_now: {type: DOUBLE, unit: sessions, doc: "sessions to sell nine tenths of what is held at the last session; null where nothing is"}
---
How much money a portfolio carries: the capital at which impact has taken a stated amount of its net CAGR (knob capacity_loss_pct, percentage
points a year), between two points of kpis.cost_curve in proportion to the root of capital, as impact is. Charges are not counted in: they
do not grow faster than capital.
*/
with points as (
    select
        portfolio,
        capital_inr,
        lost_ann,
    from kpis.cost_curve
    union all
    -- without capital there is no impact
    select
        portfolio,
        0.0 as capital_inr,
        0.0 as lost_ann,
    from config.portfolios
),

reached as (
    select
        portfolio,
        capital_inr,
        lost_ann,
        lag(capital_inr) over grid as below_inr,
        lag(lost_ann) over grid as below_lost,
    from points
    where lost_ann is not null
    window grid as (partition by portfolio order by capital_inr)
    qualify lost_ann > {{ capacity_loss_pct }} / 100.0
),

first_reached as (
    select *
    from reached
    qualify row_number() over (partition by portfolio order by capital_inr) = 1
),

capacities as (
    select
        portfolio,
        pow(
            sqrt(below_inr)
            + (sqrt(capital_inr) - sqrt(below_inr)) * ({{ capacity_loss_pct }} / 100.0 - below_lost) / nullif(lost_ann - below_lost, 0.0),
            2
        ) as capacity_inr,
    from first_reached
),

-- sold side by side, so what counts is the position that takes longest among the nine tenths that are sold first
positions as (
    select
        portfolio,
        date,
        exit_days,
        sum(value_inr) over (partition by portfolio, date order by exit_days nulls last, security_id rows between unbounded preceding and current row)
        >= 0.9 * sum(value_inr) over (partition by portfolio, date order by security_id rows between unbounded preceding and unbounded following)
            as is_sold,
    from book.liquidity
    where value_inr > 0.0
),

exits as (
    select
        portfolio,
        date,
        min(exit_days) as exit_days,
    from positions
    where is_sold
    group by portfolio, date
),

exit_sizes as (
    select
        exits.portfolio,
        quantile_cont(exits.exit_days, 0.5) as exit_days_p50,
        quantile_cont(exits.exit_days, 0.95) as exit_days_p95,
    from exits
    group by exits.portfolio
),

trade_sizes as (
    select
        portfolio,
        quantile_cont(participation, 0.5) as participation_p50,
        quantile_cont(participation, 0.95) as participation_p95,
    from book.liquidity
    where traded_inr > 0.0
    group by portfolio
)

select
    own.portfolio,
    own.capital_inr,
    own.last_date,
    capacities.capacity_inr,
    own.lost_ann is not null and capacities.capacity_inr is null as is_beyond_grid,
    own.lost_ann,
    own.net_cagr,
    trade_sizes.participation_p50,
    trade_sizes.participation_p95,
    exit_sizes.exit_days_p50,
    exit_sizes.exit_days_p95,
    exits.exit_days as exit_days_now,
from kpis.cost_curve as own
left join capacities on capacities.portfolio = own.portfolio
left join trade_sizes on trade_sizes.portfolio = own.portfolio
left join exit_sizes on exit_sizes.portfolio = own.portfolio
left join exits on exits.portfolio = own.portfolio and exits.date = own.last_date
where own.is_own
