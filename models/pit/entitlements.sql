/*---
grain: [security_id, from_date]
interval: [from_date, to_date]
knowable: to_date
order: [security_id, from_date]
references: {security_id: pit.first_prints.security_id}
checks:
  - "from_date < to_date"
  - "shares > 0"
  - "shares_since_first > 0"
columns:
  security_id: {type: BIGINT, doc: "the security"}
  from_date: {type: DATE, doc: "first print on or after the ex-date"}
  to_date: {type: DATE, doc: "the next such print; 9999-12-31 while there is none"}
  shares: {type: DOUBLE, unit: shares, doc: "what one share held the session before has become on from_date, its cash turned into shares at that close"}
  shares_since_first: {type: DOUBLE, unit: shares, doc: "what one share held since the first print has become"}
---
One row is what the accepted corporate actions that count from one print made of a share, and for how long. An action counts on the first print on or after
its ex-date, and not at all on a security's first print. An open interval may still be closed, so a row is final only at `to_date`.
*/
with landed as (
    select
        actions.security_id,
        actions.ex_date,
        actions.kind,
        actions.price_factor,
        actions.cash_inr,
        min(prices.date) as date,
        arg_min(prices.close, prices.date) as close,
    from pit.corporate_actions as actions
    join pit.first_prints as firsts on firsts.security_id = actions.security_id and firsts.first_date < actions.ex_date
    -- lint: allow time_join: a name may come back years after the ex-date; few names have actions
    join pit.prices as prices on prices.security_id = actions.security_id and prices.date >= actions.ex_date
    group by all
),

growth as (
    select
        security_id,
        date as from_date,
        -- lint: allow division: pit.corporate_actions promises price_factor > 0, pit.prices close > 0
        product(1 / price_factor order by ex_date, kind) + sum(cash_inr order by ex_date, kind) / any_value(close) as shares,
    from landed
    group by security_id, date
)

select
    security_id,
    from_date,
    lead(from_date, 1, date '9999-12-31') over actions as to_date,
    shares,
    product(shares) over (actions rows unbounded preceding) as shares_since_first,
from growth
window actions as (partition by security_id order by from_date)
