/*---
grain: [date, portfolio, security_id]
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
with marks as (
    select
        date,
        security_id,
        mark,
        share_factor,
        lag(mark) over (partition by security_id order by session_no) as previous_mark,
        lag(date) over (partition by security_id order by session_no) as previous_date,
    from book.quotes
),

held as (
    select
        marks.date,
        holdings.portfolio,
        holdings.security_id,
        holdings.qty::bigint * (marks.share_factor * marks.mark - marks.previous_mark) as held_inr,
    from book.holdings as holdings
    inner join marks
        on marks.security_id = holdings.security_id
        and marks.previous_date >= holdings.from_date
        and marks.previous_date < holdings.to_date
),

happened as (
    select
        events.date,
        events.portfolio,
        events.security_id,
        sum(
            case
                when events.kind = 'dividend' then 0.0
                when events.side = 'buy' then events.qty * (marks.mark - events.price)
                -- a sale, a closed holding and a cashed-out fraction give the share away at their price
                else events.qty * (events.price - marks.mark)
            end
            order by events.seq
        ) as traded_inr,
        sum(case when events.kind = 'dividend' then events.cash_inr else 0.0 end order by events.seq) as dividend_inr,
    from book.events as events
    inner join marks on marks.date = events.date and marks.security_id = events.security_id
    where events.kind != 'corporate_action'
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
