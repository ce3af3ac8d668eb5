/*---
kind: incremental
date: date
look_back: 0
grain: [date, portfolio, security_id]
references: {date: universe.rebalances.date, security_id: pit.securities.security_id}
checks:
  - pick >= 1
  - sector_pick <= sector_slots
  - name: portfolios_can_be_built
    query: >-
      select portfolio, case
      when blend not in (select blends.blend from config.blends as blends) then 'config/blends.csv has no blend ' || blend
      when top_n < 1 then 'top_n is below 1'
      when name_cap <= 0 or name_cap > 1 then 'name_cap is a ratio above 0, 1 at most'
      when sector_cap > 1 then 'sector_cap is a ratio, 1 at most'
      when sector_cap + 1e-9 < least(1.0 / top_n, name_cap) then 'sector_cap is below the weight of one name'
      when capital_inr <= 0 then 'capital_inr is not above 0'
      end as wrong from config.portfolios where wrong is not null
columns:
  date: {type: DATE, doc: "session whose evening decides"}
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  security_id: {type: BIGINT, doc: "pit.securities"}
  ticker: {type: VARCHAR, doc: "ticker on the date"}
  sector: {type: VARCHAR, doc: "sector known on the date, or unlabelled"}
  score: {type: DOUBLE, doc: "blended score of the portfolio's blend"}
  sector_pick: {type: BIGINT, doc: "place within the sector, best first"}
  sector_slots: {type: BIGINT, doc: "names of the sector that fit under its cap at equal weight"}
  pick: {type: BIGINT, doc: "place among all that fit, best first"}
  weight: {type: DOUBLE, unit: ratio, doc: "weight of one name: 1 / top_n, at most the name cap"}
---
Names that may enter a portfolio at one of its own rebalances, best first. At equal weights a sector cap is a number of names, so the
worst names of a crowded sector give way to the next best elsewhere. Names without a known sector are capped as one sector only where the
knob `cap_unlabelled` says so. Known at the close of `date`.
*/
with decisions as (
    select
        rebalances.date,
        portfolios.portfolio,
        portfolios.blend,
        portfolios.top_n,
        least(1.0 / nullif(portfolios.top_n, 0), portfolios.name_cap) as weight,
        -- a hair above, so that 0.30 / 0.10 is three names
        floor(portfolios.sector_cap / nullif(least(1.0 / nullif(portfolios.top_n, 0), portfolios.name_cap), 0.0) + 1e-9)::bigint as sector_slots,
    from universe.rebalances as rebalances
    inner join config.portfolios as portfolios
        on (portfolios.rebalance = 'ME' and rebalances.is_month_end)
        or (portfolios.rebalance = 'WE' and rebalances.is_week_end)
        or (portfolios.rebalance = 'QE' and rebalances.is_quarter_end)
    -- greatest() of a null is the other one: without a start, every date
    where greatest(rebalances.date, portfolios.starts_on) = rebalances.date
),

scored as (
    select
        decisions.date,
        decisions.portfolio,
        decisions.weight,
        case
            when members.sector is null and not {{ cap_unlabelled }} then decisions.top_n
            else decisions.sector_slots
        end as sector_slots,
        members.security_id,
        members.ticker,
        coalesce(members.sector, 'unlabelled') as sector,
        score.score,
    from decisions
    inner join signals.score as score on score.date = decisions.date and score.blend = decisions.blend
    inner join universe.members as members on members.date = score.date and members.security_id = score.security_id
    where members.active and score.score is not null
),

within_sector as (
    select
        *,
        row_number() over (partition by date, portfolio, sector order by score desc, security_id) as sector_pick,
    from scored
)

select
    date,
    portfolio,
    security_id,
    ticker,
    sector,
    score,
    sector_pick,
    sector_slots,
    row_number() over (partition by date, portfolio order by score desc, security_id) as pick,
    weight,
from within_sector
where sector_pick <= sector_slots
