/*---
place: portfolio
grain: [date, portfolio, security_id]
knowable: date
order: [date, portfolio, security_id]
checks:
  - change in ('enter', 'leave')
  - "(change = 'enter') = (weight > 0)"
columns:
  date: {type: DATE, doc: "session whose evening decides"}
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  security_id: {type: BIGINT, doc: "the name"}
  ticker: {type: VARCHAR, doc: "ticker on the date"}
  sleeve: {type: VARCHAR, doc: "core, conviction or fallback"}
  change: {type: VARCHAR, doc: "enter or leave"}
  reason: {type: VARCHAR, doc: "why: see below"}
  weight: {type: DOUBLE, unit: ratio, doc: "target weight; 0 for one that leaves"}
  drifted: {type: DOUBLE, unit: ratio, doc: "weight before; 0 for one that enters"}
  score: {type: DOUBLE, unit: standard deviations, doc: "score of the portfolio's blend on the date; null where it has none"}
  rank: {type: INTEGER, doc: "place in the blend, 1 is best"}
  last_rank: {type: INTEGER, doc: "place in the blend at the decision before"}
---
One row is a name that enters or leaves a portfolio's targets at a rebalance, and why; names that stay have none. What enters: `rank` (its score),
`conviction` (written down), `core_unfilled` (a fund). What leaves: `rank` (fell too far), `sector` (better names fill its sector), `correlation` (moves
too closely with a better name), `no_window` (something its weight needs is not known), `capacity` (too little is traded), `min_weight` (its position would be
too small), `not_weighted` (the optimiser gave it nothing), `conviction_ended`, `core_filled` (the fund is no longer needed); or what universe.members says of
a name that may not be bought any more (suspended, price, liquidity, …), `no_score`, `gone` for one that is no longer listed. The table is named with the
signals it explains and stands in the order of layers where portfolio stands, as it reads what portfolios decided. Known at the close of `date`.
*/
with changes as (
    select
        targets.*,
        lag(targets.date) over (partition by targets.portfolio, targets.security_id order by targets.date) as last_date,
    from portfolio.targets as targets
)

select
    changes.date,
    changes.portfolio,
    changes.security_id,
    changes.ticker,
    changes.sleeve,
    if(changes.weight > 0, 'enter', 'leave') as change,
    case
        when changes.reason != 'no_candidate' then changes.reason
        when members.security_id is null then 'gone'
        when not members.active then members.reason
        when score.rank is null then 'no_score'
        else 'rank'
    end as reason,
    changes.weight,
    changes.drifted,
    score.score,
    score.rank,
    if(changes.drifted > 0, before.rank, null) as last_rank,
from changes
inner join config.portfolios as portfolios on portfolios.portfolio = changes.portfolio
left join universe.members as members on members.date = changes.date and members.security_id = changes.security_id
left join signals.score as score
    on score.date = changes.date and score.blend = portfolios.blend and score.security_id = changes.security_id
left join signals.score as before
    on before.date = changes.last_date and before.blend = portfolios.blend and before.security_id = changes.security_id
where changes.weight = 0 or changes.drifted = 0
