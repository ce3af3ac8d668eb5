/*---
kind: incremental
date: date
look_back: 0
grain: [date, portfolio, security_id]
references: {date: universe.rebalances.date, security_id: pit.securities.security_id}
checks:
  - sleeve in ('conviction', 'fallback')
  - (sleeve = 'conviction') = (wanted is not null)
  - name: convictions_name_portfolios
    query: >-
      select portfolio, ticker, from_date from config.discretionary
      where portfolio not in (select portfolios.portfolio from config.portfolios as portfolios)
  - name: convictions_end_after_they_begin
    query: "select portfolio, ticker, from_date, to_date from config.discretionary where to_date < from_date"
  - name: convictions_find_their_names
    level: warn
    query: >-
      select discretionary.portfolio, discretionary.ticker, discretionary.from_date from config.discretionary as discretionary
      anti join portfolio.sleeves as sleeves on sleeves.portfolio = discretionary.portfolio and sleeves.ticker = discretionary.ticker
      where discretionary.from_date <= (select max(newest.date) from universe.rebalances as newest)
  - name: fallbacks_find_a_fund
    level: warn
    query: >-
      select portfolios.portfolio, portfolios.fallback from config.portfolios as portfolios
      anti join portfolio.sleeves as sleeves on sleeves.portfolio = portfolios.portfolio and sleeves.sleeve = 'fallback'
      where portfolios.fallback is not null
columns:
  date: {type: DATE, doc: "session whose evening decides"}
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  security_id: {type: BIGINT, doc: "pit.securities"}
  ticker: {type: VARCHAR, doc: "ticker on the date"}
  sleeve: {type: VARCHAR, doc: "conviction or fallback"}
  sector: {type: VARCHAR, doc: "sector known on the date, or unlabelled"}
  wanted: {type: DOUBLE, unit: ratio, doc: "weight that was written down, before caps; null of a fund"}
  place: {type: BIGINT, doc: "place in the order in which they are filled: as written in the portfolio's fallback, or of convictions by ticker"}
  adv_inr: {type: DOUBLE, unit: inr, doc: "median value traded"}
---
Names that a portfolio may hold beside its core at a rebalance: its convictions (config.discretionary) in force and written down by then, and
the funds that take what the core cannot fill (`fallback` of config.portfolios). A name is here while it has a price: not after it has died. A fund must
have printed on the day and be one; a conviction is held or not whatever its score and however long it has been listed. Known at the close of `date`.
*/
with decisions as (
    select rebalances.date, portfolios.portfolio, portfolios.conviction_cap, portfolios.fallback
    from universe.rebalances as rebalances
    inner join config.portfolios as portfolios
        on (portfolios.rebalance = 'ME' and rebalances.is_month_end)
        or (portfolios.rebalance = 'WE' and rebalances.is_week_end)
        or (portfolios.rebalance = 'QE' and rebalances.is_quarter_end)
    -- greatest() of a null is the other one: without a start, every date
    where greatest(rebalances.date, portfolios.starts_on) = rebalances.date
        and (portfolios.conviction_cap > 0 or portfolios.fallback is not null)
),

preferred as (
    select
        portfolio,
        trim(ticker) as ticker,
        place,
    from (select portfolio, unnest(string_split(fallback, ',')) as ticker, generate_subscripts(string_split(fallback, ','), 1) as place from config.portfolios)
),

wanted as (
    select
        decisions.date,
        decisions.portfolio,
        discretionary.ticker,
        'conviction' as sleeve,
        discretionary.weight as wanted,
        row_number() over (partition by decisions.date, decisions.portfolio order by discretionary.ticker, discretionary.from_date desc) as place,
    from decisions
    inner join config.discretionary as discretionary
        on discretionary.portfolio = decisions.portfolio
        -- lint: allow time_join: a few lines that people wrote
        and discretionary.from_date <= decisions.date
        and discretionary.written_on <= decisions.date
        and decisions.date <= discretionary.to_date
    where decisions.conviction_cap > 0
    union all
    select
        decisions.date,
        decisions.portfolio,
        preferred.ticker,
        'fallback' as sleeve,
        null as wanted,
        preferred.place,
    from decisions
    inner join preferred on preferred.portfolio = decisions.portfolio
)

select
    wanted.date,
    wanted.portfolio,
    liquidity.security_id,
    wanted.ticker,
    wanted.sleeve,
    coalesce(members.sector, 'unlabelled') as sector,
    wanted.wanted,
    wanted.place,
    liquidity.adv_inr,
from wanted
inner join universe.liquidity as liquidity
    on liquidity.date = wanted.date
    and liquidity.ticker = wanted.ticker
    and (wanted.sleeve = 'conviction' or (liquidity.kind = 'etf' and liquidity.sessions_since_print = 0))
left join universe.members as members on members.date = liquidity.date and members.security_id = liquidity.security_id
-- one symbol may be on two lines (a share and its entitlement), a name be written down twice, or be a conviction and the fund
qualify row_number() over (
    partition by wanted.date, wanted.portfolio, wanted.ticker
    order by wanted.sleeve, liquidity.kind not in ('equity', 'etf'), wanted.place, liquidity.sessions_since_print, liquidity.security_id
) = 1
