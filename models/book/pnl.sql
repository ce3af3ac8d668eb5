/*---
kind: incremental
date: date
look_back: 1
grain: [date, portfolio, security_id]
references: {date: pit.sessions.date, security_id: pit.securities.security_id}
order: [portfolio, date, security_id]
columns:
  date: {type: DATE, doc: "session"}
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  security_id: {type: BIGINT, doc: "pit.securities"}
  held_inr: {type: DOUBLE, unit: inr, doc: "price change of what was held the evening before, through splits and bonuses"}
  traded_inr: {type: DOUBLE, unit: inr, doc: "from the price of what happened (fill, fraction, delisting) to the close"}
  dividend_inr: {type: DOUBLE, unit: inr, doc: "cash dividends"}
  pnl_inr: {type: DOUBLE, unit: inr, doc: "their sum, before costs"}
---
Where each rupee of profit came from, before costs: worked out from price changes alone, so that the change of NAV can be checked
against it.
*/
with held as (
    select
        quotes.date,
        evening.portfolio,
        evening.security_id,
        evening.qty * (quotes.share_factor * quotes.mark - evening.close) as held_inr,
    from book.positions as evening
    inner join book.quotes as quotes
        on quotes.security_id = evening.security_id and quotes.session_no = evening.session_no + 1
),

happened as (
    select
        events.date,
        events.portfolio,
        events.security_id,
        sum(
            case
                when events.kind = 'dividend' then 0.0
                when events.side = 'buy' then events.qty * (quotes.mark - events.price)
                -- a sale, a closed holding and a cashed-out fraction give the share away at their price
                else events.qty * (events.price - quotes.mark)
            end
            order by events.seq
        ) as traded_inr,
        sum(case when events.kind = 'dividend' then events.cash_inr else 0.0 end order by events.seq) as dividend_inr,
    from book.events as events
    inner join book.quotes as quotes on quotes.date = events.date and quotes.security_id = events.security_id
    where events.kind in ('fill', 'fraction', 'delisting', 'dividend')
    group by events.date, events.portfolio, events.security_id
)

select
    coalesce(held.date, happened.date) as date,
    coalesce(held.portfolio, happened.portfolio) as portfolio,
    coalesce(held.security_id, happened.security_id) as security_id,
    coalesce(held.held_inr, 0.0) as held_inr,
    coalesce(happened.traded_inr, 0.0) as traded_inr,
    coalesce(happened.dividend_inr, 0.0) as dividend_inr,
    coalesce(held.held_inr, 0.0) + coalesce(happened.traded_inr, 0.0) + coalesce(happened.dividend_inr, 0.0) as pnl_inr,
from held
full outer join happened
    on happened.date = held.date and happened.portfolio = held.portfolio and happened.security_id = held.security_id
