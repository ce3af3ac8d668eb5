/*---
kind: incremental
date: date
look_back: 0
grain: [date, portfolio, security_id]
references: {date: universe.rebalances.date, security_id: pit.securities.security_id}
checks:
  - max_position_inr is null or max_position_inr >= 0
columns:
  date: {type: DATE, doc: "session whose evening decides"}
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  security_id: {type: BIGINT, doc: "pit.securities"}
  tier: {type: VARCHAR, doc: "config.capacity"}
  adv_inr: {type: DOUBLE, unit: inr, doc: "median value traded"}
  max_participation: {type: DOUBLE, unit: ratio, doc: "of the tier, or of an exception in force; null: no limit"}
  max_exit_days: {type: DOUBLE, unit: sessions, doc: "of the tier, or of an exception in force; null: no limit"}
  max_position_inr: {type: DOUBLE, unit: inr, doc: "max_exit_days sessions of max_participation of the median value traded; null: no limit"}
---
The largest position a portfolio's tier lets it have in a name it may choose (portfolio.candidates, portfolio.sleeves): what can be sold in so many
sessions at so much of each. An exception (config.capacity_exceptions) in force on the day takes the limit's place, one of the name before one of all (`*`).
A name whose traded value is not known has no room under a limit. Known at the close of `date`.
*/
with names as (
    select date, portfolio, security_id, ticker, adv_inr from portfolio.candidates
    union
    select date, portfolio, security_id, ticker, adv_inr from portfolio.sleeves
),

excepted as (
    select
        names.date,
        names.portfolio,
        names.security_id,
        exceptions."limit",
        arg_min(if(exceptions.allowed is null, 'none', exceptions.allowed::varchar), (exceptions.ticker = '*', -epoch_us(exceptions.from_date))) as allowed,
    from names
    inner join config.capacity_exceptions as exceptions
        on exceptions.portfolio = names.portfolio
        and exceptions.ticker in (names.ticker, '*')
        -- lint: allow time_join: a few lines that people wrote
        and exceptions.from_date <= names.date
        and names.date <= exceptions.expires_on
    group by names.date, names.portfolio, names.security_id, exceptions."limit"
),

limited as (
    select
        names.date,
        names.portfolio,
        names.security_id,
        portfolios.tier,
        names.adv_inr,
        if(part.allowed is null, capacity.max_participation, try_cast(part.allowed as double)) as max_participation,
        if(days.allowed is null, capacity.max_exit_days, try_cast(days.allowed as double)) as max_exit_days,
    from names
    inner join config.portfolios as portfolios on portfolios.portfolio = names.portfolio
    inner join config.capacity as capacity on capacity.tier = portfolios.tier
    left join excepted as part
        on part.date = names.date and part.portfolio = names.portfolio and part.security_id = names.security_id and part."limit" = 'max_participation'
    left join excepted as days
        on days.date = names.date and days.portfolio = names.portfolio and days.security_id = names.security_id and days."limit" = 'max_exit_days'
)

select
    date,
    portfolio,
    security_id,
    tier,
    adv_inr,
    max_participation,
    max_exit_days,
    if(max_participation is null or max_exit_days is null, null, max_exit_days * max_participation * coalesce(adv_inr, 0.0)) as max_position_inr,
from limited
