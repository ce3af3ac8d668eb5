/*---
kind: incremental
date: date
look_back: 0
grain: [date, portfolio, security_id]
references: {date: pit.sessions.date, security_id: pit.securities.security_id}
order: [portfolio, date, security_id]
checks:
  - qty > 0
  - value_inr > 0
  - weight > 0
  - name: only_stated_leverage_outgrows_the_portfolio
    query: >-
      select positions.date, positions.portfolio, positions.security_id, positions.weight from book.positions as positions
      left join config.portfolios as portfolios on portfolios.portfolio = positions.portfolio
      left join config.risk as rules on rules.overlay = portfolios.overlay and rules.max_exposure > 1 and rules.financing_rate is not null
      where positions.weight > 1 + 1e-9 and rules.overlay is null
  - name: nothing_held_is_missing
    query: >-
      with latest as (select max(date) as date from pit.sessions)
      select holdings.portfolio, holdings.security_id, holdings.qty from book.holdings as holdings
      cross join latest left join book.positions as positions on positions.portfolio = holdings.portfolio
      and positions.security_id = holdings.security_id and positions.date = latest.date
      where holdings.to_date > latest.date and positions.qty is distinct from holdings.qty
  - name: positions_are_the_sum_of_shares
    query: >-
      with latest as (select max(date) as date from pit.sessions),
      summed as (select portfolio, sum(shares) as shares from book.events group by portfolio),
      held as (select portfolio, sum(qty) as qty from book.positions inner join latest using (date) group by portfolio)
      select summed.portfolio, summed.shares, held.qty from summed left join held on held.portfolio = summed.portfolio
      where summed.shares != coalesce(held.qty, 0)
columns:
  date: {type: DATE, doc: "session, at its close"}
  session_no: {type: INTEGER, doc: "pit.sessions"}
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  security_id: {type: BIGINT, doc: "pit.securities"}
  ticker: {type: VARCHAR, doc: "ticker on the date"}
  qty: {type: BIGINT, unit: shares, doc: "whole shares"}
  close: {type: DOUBLE, unit: inr, doc: "close, or the last one carried where nothing traded"}
  value_inr: {type: DOUBLE, unit: inr, doc: "qty × close"}
  weight: {type: DOUBLE, unit: ratio, doc: "of the portfolio's value, cash included"}
  stop_price: {type: DOUBLE, unit: inr, doc: "stop in the coming session, as it hangs after this close; null where there is none"}
  is_stale: {type: BOOLEAN, doc: "the name did not trade in this session"}
---
What each portfolio holds at the close of each session.
*/
with held as (
    select
        quotes.date,
        quotes.session_no,
        holdings.portfolio,
        holdings.security_id,
        quotes.ticker,
        holdings.qty,
        quotes.mark as close,
        holdings.qty * quotes.mark as value_inr,
        quotes.sessions_stale > 0 as is_stale,
    from book.holdings as holdings
    inner join book.quotes as quotes
        on quotes.security_id = holdings.security_id
        and quotes.date >= holdings.from_date
        and quotes.date < holdings.to_date
),

-- each level is written down when it changes, and null when the stop is gone
stops as (
    select
        portfolio,
        security_id,
        date as from_date,
        coalesce(lead(date) over (partition by portfolio, security_id order by date), date '9999-12-31') as to_date,
        level as stop_price,
    from book.events
    where kind = 'stop'
),

totals as (
    select
        held.portfolio,
        held.date,
        {{ stable_sum('held.value_inr', 8) }} as equity_inr,
    from held
    group by held.portfolio, held.date
)

select
    held.date,
    held.session_no,
    held.portfolio,
    held.security_id,
    held.ticker,
    held.qty,
    held.close,
    held.value_inr,
    held.value_inr / nullif(totals.equity_inr + cash.cash_inr, 0.0) as weight,
    stops.stop_price,
    held.is_stale,
from held
inner join totals on totals.portfolio = held.portfolio and totals.date = held.date
left join stops
    on stops.portfolio = held.portfolio
    and stops.security_id = held.security_id
    and held.date >= stops.from_date
    and held.date < stops.to_date
inner join book.cash as cash on cash.portfolio = held.portfolio and cash.date = held.date
