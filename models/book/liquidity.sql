/*---
date: date
grain: [date, portfolio, security_id]
references: {date: pit.sessions.date, security_id: pit.securities.security_id}
order: [portfolio, date, security_id]
checks:
  - value_inr >= 0 and traded_inr >= 0 and value_inr + traded_inr > 0
  - participation is null or participation >= 0
  - exit_days is null or exit_days >= 0
  - name: tiers_and_executions_are_known
    query: >-
      select portfolio, case
      when tier not in (select tiers.tier from config.capacity as tiers) then 'config/capacity.yml has no tier ' || tier
      when execution not in (select executions.execution from config.execution as executions) then 'config/execution.yml has no execution ' || execution
      end as wrong from config.portfolios where wrong is not null
  - name: exceptions_are_of_portfolios_and_end
    query: >-
      select portfolio, ticker, "limit", from_date, case
      when portfolio not in (select portfolios.portfolio from config.portfolios as portfolios) then 'config/portfolios.yml has no portfolio ' || portfolio
      when expires_on < from_date then 'it expires before it begins'
      when trim(reason) = '' then 'it has no reason'
      when ticker != '*' and "limit" not in ('max_participation', 'max_exit_days') then 'the limit is of the whole portfolio: its ticker is *'
      end as wrong from config.capacity_exceptions where wrong is not null
columns:
  date: {type: DATE, doc: "session, at its close"}
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  security_id: {type: BIGINT, doc: "pit.securities"}
  ticker: {type: VARCHAR, doc: "ticker on the date"}
  value_inr: {type: DOUBLE, unit: inr, doc: "held at the close; 0 where all was sold"}
  traded_inr: {type: DOUBLE, unit: inr, doc: "value of the session's fills, both sides; 0 without one"}
  adv_inr: {type: DOUBLE, unit: inr, doc: "median value traded a session, known the evening before; null where it is not known"}
  participation: {type: DOUBLE, unit: ratio, doc: "traded over average daily value; 0 without a trade, null where the average is not known"}
  volume_share: {type: DOUBLE, unit: ratio, doc: "shares traded over the session's volume; 0 without a trade"}
  days_of_adv: {type: DOUBLE, unit: sessions, doc: "position over average daily value; null where the average is not known"}
  pace: {type: DOUBLE, unit: ratio, doc: "participation a sale is planned at: the tier's limit, else the execution's"}
  exit_days: {type: DOUBLE, unit: sessions, doc: "sessions to sell the position at that pace; null where the average is not known"}
---
How large each position and each session's trades are against what usually trades. Short sessions are in no average, and the average is that of
the evening before: what could be known when the orders were given. Source: INDIA.md §3.8.
*/
with traded as (
    select
        date,
        portfolio,
        security_id,
        {{ stable_sum('value_inr', 8) }} as traded_inr,
        sum(qty) as traded_qty,
    from book.trades
    group by date, portfolio, security_id
),

seen as (
    select
        coalesce(positions.date, traded.date) as date,
        coalesce(positions.portfolio, traded.portfolio) as portfolio,
        coalesce(positions.security_id, traded.security_id) as security_id,
        coalesce(positions.value_inr, 0.0) as value_inr,
        coalesce(traded.traded_inr, 0.0) as traded_inr,
        coalesce(traded.traded_qty, 0) as traded_qty,
    from book.positions as positions
    full outer join traded
        on traded.date = positions.date
        and traded.portfolio = positions.portfolio
        and traded.security_id = positions.security_id
),

paces as (
    select
        portfolios.portfolio,
        coalesce(tiers.max_participation, executions.participation) as pace,
    from config.portfolios as portfolios
    inner join config.capacity as tiers on tiers.tier = portfolios.tier
    inner join config.execution as executions on executions.execution = portfolios.execution
)

select
    seen.date,
    seen.portfolio,
    seen.security_id,
    quotes.ticker,
    seen.value_inr,
    seen.traded_inr,
    quotes.adv_inr,
    if(seen.traded_inr = 0.0, 0.0, seen.traded_inr / nullif(quotes.adv_inr, 0.0)) as participation,
    if(seen.traded_inr = 0.0, 0.0, seen.traded_qty / nullif(quotes.volume, 0)) as volume_share,
    seen.value_inr / nullif(quotes.adv_inr, 0.0) as days_of_adv,
    paces.pace,
    seen.value_inr / nullif(paces.pace * quotes.adv_inr, 0.0) as exit_days,
from seen
inner join book.quotes as quotes on quotes.date = seen.date and quotes.security_id = seen.security_id
inner join paces on paces.portfolio = seen.portfolio
