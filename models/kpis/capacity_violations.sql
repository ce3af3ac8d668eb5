/*---
grain: [date, portfolio, limit, ticker]
knowable: known_on
references: {security_id: pit.securities.security_id}
checks:
  - value is null or value >= 0
  - name: enforced_limits_hold
    query: >-
      select date, portfolio, ticker, "limit", value, allowed from kpis.capacity_violations where is_enforced and not is_excepted
columns:
  date: {type: DATE, doc: "session; for limits of a year, its last day"}
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  ticker: {type: VARCHAR, doc: "ticker on the date; * for limits of the whole portfolio"}
  security_id: {type: BIGINT, doc: "pit.securities; null for limits of the whole portfolio"}
  tier: {type: VARCHAR, doc: "config.capacity"}
  limit: {type: VARCHAR, doc: "max_participation, max_exit_days, turnover_low, turnover_high or slippage_target_bps"}
  value: {type: DOUBLE, doc: "what it was, in the limit's unit; null where the average daily value was not known"}
  tier_limit: {type: DOUBLE, doc: "limit of the tier"}
  allowed: {type: DOUBLE, doc: "limit in force: the tier's, or that of an exception; null where an exception lifts it"}
  is_enforced: {type: BOOLEAN, doc: "the ledger keeps it (max_participation, where the average is known): a breach without an exception stops the run; other limits are reported"}
  is_excepted: {type: BOOLEAN, doc: "an exception in force covers it"}
  reason: {type: VARCHAR, doc: "why, from config.capacity_exceptions; null without an exception"}
  known_on: {type: DATE, doc: "the session; for limits of a year, the day after it"}
---
Where a portfolio left its tier (config.capacity). Enforced is how much of a name trades in one session: fills are cut to it, so a breach is a
fault of the ledger and stops the run. Reported are positions that take longer to sell than the tier allows, once when they begin to (prices and
volumes move, and targets are cut at the capital of the inception), and, by whole calendar year, turnover outside the band and slippage with
impact above the target. Rows covered by config.capacity_exceptions stay, with the reason.
*/
with tiers as (
    select
        portfolios.portfolio,
        tiers.*,
    from config.portfolios as portfolios
    inner join config.capacity as tiers on tiers.tier = portfolios.tier
),

stays as (
    select
        liquidity.*,
        tiers.tier,
        tiers.max_exit_days,
        lag(liquidity.exit_days) over (
            partition by liquidity.portfolio, liquidity.security_id order by liquidity.date
        ) as exit_days_before,
    from book.liquidity as liquidity
    inner join tiers on tiers.portfolio = liquidity.portfolio
    where tiers.max_exit_days is not null
),

spent as (
    select
        portfolio,
        "window",
        {{ stable_sum('bps_of_traded', 8) }} as slippage_bps,
    from kpis.costs
    where component in ('slippage', 'impact')
    group by portfolio, "window"
),

-- whole calendar years: part of one, told for a year, says nothing
years as (
    select
        turnover.portfolio,
        make_date(try_cast(turnover."window" as integer), 12, 31) as date,
        turnover.turnover_ann,
        coalesce(spent.slippage_bps, 0.0) as slippage_bps,
    from kpis.turnover as turnover
    left join spent on spent.portfolio = turnover.portfolio and spent."window" = turnover."window"
    where try_cast(turnover."window" as integer) is not null and date_diff('day', turnover.base_date, turnover.last_date) >= 360
),

measured as (
    select
        liquidity.date,
        liquidity.portfolio,
        liquidity.ticker,
        liquidity.security_id,
        tiers.tier,
        'max_participation' as "limit",
        liquidity.participation as value,
        tiers.max_participation as tier_limit,
    from book.liquidity as liquidity
    inner join tiers on tiers.portfolio = liquidity.portfolio
    where liquidity.traded_inr > 0.0 and coalesce(liquidity.participation > tiers.max_participation * (1.0 + 1e-9), tiers.max_participation is not null)
    union all
    select
        date,
        portfolio,
        ticker,
        security_id,
        tier,
        'max_exit_days',
        exit_days,
        max_exit_days,
    from stays
    where exit_days > max_exit_days and coalesce(exit_days_before <= max_exit_days, true)
    union all
    select
        years.date,
        years.portfolio,
        '*',
        null,
        tiers.tier,
        'turnover_low',
        years.turnover_ann,
        tiers.turnover_low,
    from years
    inner join tiers on tiers.portfolio = years.portfolio
    where years.turnover_ann < tiers.turnover_low
    union all
    select
        years.date,
        years.portfolio,
        '*',
        null,
        tiers.tier,
        'turnover_high',
        years.turnover_ann,
        tiers.turnover_high,
    from years
    inner join tiers on tiers.portfolio = years.portfolio
    where years.turnover_ann > tiers.turnover_high
    union all
    select
        years.date,
        years.portfolio,
        '*',
        null,
        tiers.tier,
        'slippage_target_bps',
        years.slippage_bps,
        tiers.slippage_target_bps,
    from years
    inner join tiers on tiers.portfolio = years.portfolio
    where years.slippage_bps > tiers.slippage_target_bps
),

-- of several exceptions for one day one for the name counts before one for all names, then the latest begun
excepted as (
    select
        measured.date,
        measured.portfolio,
        measured.ticker,
        exceptions."limit",
        exceptions.allowed,
        exceptions.reason,
    from measured
    inner join config.capacity_exceptions as exceptions
        on exceptions.portfolio = measured.portfolio
        and exceptions."limit" = measured."limit"
        and exceptions.ticker in (measured.ticker, '*')
        and measured.date between exceptions.from_date and exceptions.expires_on
    qualify row_number() over (
        partition by measured.date, measured.portfolio, measured.ticker, measured."limit"
        order by exceptions.ticker = '*', exceptions.from_date desc
    ) = 1
),

judged as (
    select
        measured.*,
        if(excepted.reason is null, measured.tier_limit, excepted.allowed) as allowed,
        excepted.reason,
    from measured
    left join excepted
        on excepted.date = measured.date
        and excepted.portfolio = measured.portfolio
        and excepted.ticker = measured.ticker
        and excepted."limit" = measured."limit"
)

select
    date,
    portfolio,
    ticker,
    security_id::bigint as security_id,
    tier,
    "limit",
    value,
    tier_limit,
    allowed,
    "limit" = 'max_participation' and value is not null as is_enforced,
    reason is not null
    and case
        when allowed is null then true
        when "limit" = 'turnover_low' then value >= allowed
        else coalesce(value <= allowed * (1.0 + 1e-9), false)
    end as is_excepted,
    reason,
    if(ticker = '*', date + 1, date) as known_on,
from judged
