/*---
date: date
grain: [date, account, trade_date, exchange, trade_id, reported_at]
references: {date: pit.sessions.date, security_id: pit.securities.security_id}
order: [account, date, security_id, trade_id]
checks:
  - side in ('buy', 'sell')
  - price > 0
  - model in ('paper', 'assumed')
columns:
  date: {type: DATE, doc: "session in which the fill counts (book.real_events)"}
  account: {type: VARCHAR, doc: "the account at a broker"}
  portfolio: {type: VARCHAR, doc: "the paper portfolio it follows; null where config/accounts.yml names none"}
  security_id: {type: BIGINT, doc: "pit.securities"}
  ticker: {type: VARCHAR, doc: "ticker"}
  trade_date: {type: DATE, doc: "trade date"}
  exchange: {type: VARCHAR, doc: "exchange of the trade"}
  trade_id: {type: VARCHAR, doc: "number of the trade"}
  order_id: {type: VARCHAR, doc: "number of the order"}
  reported_at: {type: TIMESTAMPTZ, doc: "when the broker reported this version"}
  side: {type: VARCHAR, doc: "buy or sell"}
  qty: {type: BIGINT, unit: shares, doc: "shares"}
  price: {type: DOUBLE, unit: inr, doc: "paid or got"}
  value_inr: {type: DOUBLE, unit: inr, doc: "qty × price"}
  decision_inr: {type: DOUBLE, unit: inr, doc: "close of the session before the trade: where the decision was made"}
  arrival_inr: {type: DOUBLE, unit: inr, doc: "price when the order was entered, where somebody wrote it down, else the session's open"}
  model_inr: {type: DOUBLE, unit: inr, doc: "what the model says the share costs or brings, its slippage and impact in it"}
  model: {type: VARCHAR, doc: "paper: the paper portfolio traded the name on the same side in the same session; assumed: it did not, so arrival and slippage_bps"}
  decision_bps: {type: DOUBLE, unit: basis points, doc: "worse than the decision's price; below zero is better"}
  arrival_bps: {type: DOUBLE, unit: basis points, doc: "worse than the arrival price"}
  model_bps: {type: DOUBLE, unit: basis points, doc: "worse than the model"}
---
What each real fill cost beside prices: against the decision, the arrival and the model. Charges are left out; fills at prices the session never saw are
too, and so is what was undone. Above zero is a cost, on both sides.
*/
with prints as (
    select *
    from ({{ prices_then('date, session_no, security_id, open, close') }})
    where security_id in (select events.security_id from book.real_events as events)
),

paper as (
    select
        portfolio,
        date,
        security_id,
        side,
        {{ stable_sum('value_inr', 8) }} as value_inr,
        {{ stable_sum('coalesce(slippage_inr, 0.0) + coalesce(impact_inr, 0.0)', 8) }} as friction_inr,
        sum(qty) as qty,
    from book.trades
    group by portfolio, date, security_id, side
),

filled as (
    select
        events.*,
        accounts.portfolio,
        if(events.side = 'buy', 1.0, -1.0) as sign,
        sessions.session_no as trade_no,
    from book.real_events as events
    inner join pit.sessions as sessions on sessions.date = events.trade_date
    left join config.accounts as accounts on accounts.account = events.account
    where events.kind = 'fill' and not events.is_doubtful
),

beside as (
    select
        filled.*,
        before.close as decision_inr,
        coalesce(told.arrival_inr, today.open) as arrival_inr,
        (paper.value_inr + filled.sign * paper.friction_inr) / nullif(paper.qty, 0) as paper_inr,
    from filled
    left join prints as today on today.security_id = filled.security_id and today.date = filled.trade_date
    left join prints as before on before.security_id = filled.security_id and before.session_no = filled.trade_no - 1
    left join paper
        on paper.portfolio = filled.portfolio
        and paper.date = filled.trade_date
        and paper.security_id = filled.security_id
        and paper.side = filled.side
    left join pit.fills as told
        on told.account = filled.account
        and told.date = filled.trade_date
        and told.exchange = filled.exchange
        and told.trade_id = filled.trade_id
        and told.known_from = filled.reported_at
),

modelled as (
    select
        *,
        coalesce(paper_inr, arrival_inr * (1.0 + sign * {{ slippage_bps }} / 1e4)) as model_inr,
        if(paper_inr is null, 'assumed', 'paper') as model,
    from beside
)

select
    date,
    account,
    portfolio,
    security_id,
    ticker,
    trade_date,
    exchange,
    trade_id,
    order_id,
    reported_at,
    side,
    qty,
    price,
    qty * price as value_inr,
    decision_inr,
    arrival_inr,
    model_inr,
    model,
    1e4 * sign * (price / nullif(decision_inr, 0.0) - 1.0) as decision_bps,
    1e4 * sign * (price / nullif(arrival_inr, 0.0) - 1.0) as arrival_bps,
    1e4 * sign * (price / nullif(model_inr, 0.0) - 1.0) as model_bps,
from modelled
