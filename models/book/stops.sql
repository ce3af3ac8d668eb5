/*---
grain: [portfolio, security_id, from_date]
interval: [from_date, to_date]
references: {security_id: pit.securities.security_id}
knowable: to_date
order: [portfolio, security_id, from_date]
checks:
  - from_date < to_date
  - stop_price > 0
  - reason in ('placed', 'raised', 'rescaled')
  - name: stops_only_rise
    query: >-
      select stops.* from book.stops as stops
      inner join book.stops as before on before.portfolio = stops.portfolio and before.security_id = stops.security_id
      and before.to_date = stops.from_date
      where stops.reason != 'rescaled' and stops.stop_price < before.stop_price
  - name: a_stop_sells_at_its_price_or_below_or_at_the_open
    query: >-
      select trades.seq, trades.price, stops.stop_price from book.trades as trades
      inner join book.stops as stops on stops.portfolio = trades.portfolio and stops.security_id = trades.security_id
      and stops.from_date <= trades.signal_date and trades.signal_date < stops.to_date
      inner join book.quotes as quotes on quotes.date = trades.date and quotes.security_id = trades.security_id
      where trades.reason = 'stop' and quotes.action is null and trades.price > stops.stop_price + 1e-9 and trades.price != quotes.open
columns:
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  security_id: {type: BIGINT, doc: "pit.securities"}
  from_date: {type: DATE, doc: "session at whose close the stop was put there; it can fire from the next session on"}
  to_date: {type: DATE, doc: "session that moved or ended it; 9999-12-31 while it stands"}
  stop_price: {type: DOUBLE, unit: inr, doc: "price at or below which the whole position is sold, in the units of from_date"}
  reason: {type: VARCHAR, doc: "placed (the position is new), raised, or rescaled for what went ex"}
---
One row is where the stop of one position hung, and for how long: the higher of the trailing stop and the hard one, which never comes down but for
what goes ex.
*/
with changes as (
    select
        portfolio,
        security_id,
        date as from_date,
        lead(date) over (partition by portfolio, security_id order by seq) as to_date,
        level as stop_price,
        reason,
    from book.events
    where kind = 'stop'
)

select
    portfolio,
    security_id,
    from_date,
    coalesce(to_date, date '9999-12-31') as to_date,
    stop_price,
    reason,
from changes
where stop_price is not null
