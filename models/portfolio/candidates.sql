/*---
kind: incremental
date: date
look_back: 0
grain: [date, portfolio, security_id]
references: {date: universe.rebalances.date, security_id: pit.securities.security_id}
checks:
  - rank >= 1
  - pick is null or pick >= 1
  - sector_pick <= sector_slots or pick is null
  - name: portfolios_can_be_built
    query: >-
      select portfolio, case
      when blend not in (select blends.blend from config.blends as blends) then 'config/blends.csv has no blend ' || blend
      when tier not in (select capacity.tier from config.capacity as capacity) then 'config/capacity.yml has no tier ' || tier
      when top_n < 1 then 'top_n is below 1'
      when name_cap <= 0 or name_cap > 1 then 'name_cap is a ratio above 0, 1 at most'
      when sector_cap > 1 then 'sector_cap is a ratio, 1 at most'
      when sector_cap + 1e-9 < least(1.0 / top_n, name_cap) then 'sector_cap is below the weight of one name'
      when capital_inr <= 0 then 'capital_inr is not above 0'
      when exit_rank < top_n then 'exit_rank is below top_n'
      when min_weight > least((1.0 - cash_buffer - conviction_cap) / top_n, name_cap) + 1e-9 then 'min_weight is above an equal part'
      when conviction_cap > sector_cap then 'conviction_cap is above sector_cap'
      when conviction_cap + cash_buffer >= 1 then 'conviction_cap and cash_buffer leave nothing for the core'
      when beta_low > beta_high then 'beta_low is above beta_high'
      when size_low > size_high then 'size_low is above size_high'
      when momentum_low > momentum_high then 'momentum_low is above momentum_high'
      end as wrong from config.portfolios where wrong is not null
columns:
  date: {type: DATE, doc: "session whose evening decides"}
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  security_id: {type: BIGINT, doc: "pit.securities"}
  ticker: {type: VARCHAR, doc: "ticker on the date"}
  sector: {type: VARCHAR, doc: "sector known on the date, or unlabelled"}
  score: {type: DOUBLE, doc: "blended score of the portfolio's blend"}
  standing: {type: DOUBLE, unit: standard deviations, doc: "the score less the mean of all ranked names, over their deviation"}
  rank: {type: BIGINT, doc: "place among all active names with a score, best first"}
  sector_pick: {type: BIGINT, doc: "place within the sector, best first"}
  sector_slots: {type: BIGINT, doc: "names of the sector that fit under its cap at equal weight"}
  pick: {type: BIGINT, doc: "place among all that fit, best first; null where the sector is full of better names"}
  weight: {type: DOUBLE, unit: ratio, doc: "an equal part of a portfolio without buffer and other sleeves: 1 / top_n, at most the name cap"}
  adv_inr: {type: DOUBLE, unit: inr, doc: "median value traded"}
  beta: {type: DOUBLE, unit: ratio, doc: "slope of a year's returns on the market's; null without a year"}
  size: {type: DOUBLE, unit: standard deviations, doc: "log of the median value traded, standardised across active members"}
  momentum: {type: DOUBLE, unit: standard deviations, doc: "z-score of 12-1 momentum, against its sector; null without a year"}
---
Names that may enter or stay in the core of a portfolio at one of its own rebalances: twice `top_n` of the best that fit (or down to its `exit_rank`, if
that is further), and the best by score alone as far. At equal weights a sector cap is a number of names, so the worst names of a crowded
sector give way to the next best elsewhere. Names without a known sector are capped as one sector only where the knob `cap_unlabelled` says so.
Size stands on the median value traded, because no dataset brings the number of shares. Known at the close of `date`.
*/
with decisions as (
    select
        rebalances.date,
        portfolios.portfolio,
        portfolios.blend,
        portfolios.top_n,
        greatest(2 * portfolios.top_n, coalesce(portfolios.exit_rank, 0)) as depth,
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

sizes as (
    select
        date,
        avg(ln(adv_inr) order by security_id) as mean,
        stddev_samp(ln(adv_inr) order by security_id) as spread,
    from universe.members
    where active and adv_inr > 0
    group by date
),

standings as (
    select
        score.date,
        score.blend,
        avg(score.score order by score.security_id) as mean,
        stddev_samp(score.score order by score.security_id) as spread,
    from signals.score as score
    inner join universe.members as members on members.date = score.date and members.security_id = score.security_id
    where members.active
    group by score.date, score.blend
),

scored as (
    select
        decisions.date,
        decisions.portfolio,
        decisions.weight,
        decisions.depth,
        case
            when members.sector is null and not {{ cap_unlabelled }} then decisions.top_n
            else decisions.sector_slots
        end as sector_slots,
        members.security_id,
        members.ticker,
        coalesce(members.sector, 'unlabelled') as sector,
        score.score,
        -- names that all score alike (or one alone) stand at the mean
        coalesce((score.score - standings.mean) / nullif(standings.spread, 0), 0.0) as standing,
        members.adv_inr,
        (ln(nullif(members.adv_inr, 0)) - sizes.mean) / nullif(sizes.spread, 0) as size,
    from decisions
    inner join signals.score as score on score.date = decisions.date and score.blend = decisions.blend
    inner join universe.members as members on members.date = score.date and members.security_id = score.security_id
    inner join standings on standings.date = score.date and standings.blend = score.blend
    left join sizes on sizes.date = score.date
    where members.active and score.score is not null
),

within_sector as (
    select
        *,
        row_number() over (partition by date, portfolio order by score desc, security_id) as rank,
        row_number() over (partition by date, portfolio, sector order by score desc, security_id) as sector_pick,
    from scored
),

picked as (
    select
        *,
        if(
            sector_pick <= sector_slots,
            count(*) filter (where sector_pick <= sector_slots) over (partition by date, portfolio order by rank rows unbounded preceding),
            null
        ) as pick,
    from within_sector
)

select
    picked.date,
    picked.portfolio,
    picked.security_id,
    picked.ticker,
    picked.sector,
    picked.score,
    picked.standing,
    picked.rank,
    picked.sector_pick,
    picked.sector_slots,
    picked.pick,
    picked.weight,
    picked.adv_inr,
    daily.beta_252 as beta,
    picked.size,
    momentum.z as momentum,
from picked
left join features.daily as daily on daily.date = picked.date and daily.security_id = picked.security_id
left join signals.zscores as momentum
    on momentum.date = picked.date and momentum.security_id = picked.security_id and momentum.factor = 'momentum_12_1'
where least(picked.pick, picked.rank) <= picked.depth
