/*---
grain: [date, security_id]
references: {date: pit.sessions.date, security_id: pit.securities.security_id}
order: [security_id, session_no]
checks:
  - mark > 0
  - sessions_stale >= 0
columns:
  date: {type: DATE, doc: "session"}
  session_no: {type: INTEGER, doc: "pit.sessions"}
  security_id: {type: BIGINT, doc: "pit.securities"}
  ticker: {type: VARCHAR, doc: "ticker on the date; the last one while nothing trades"}
  open: {type: DOUBLE, unit: inr, doc: "null without a trade"}
  high: {type: DOUBLE, unit: inr, doc: "null without a trade"}
  low: {type: DOUBLE, unit: inr, doc: "null without a trade"}
  close: {type: DOUBLE, unit: inr, doc: "null without a trade"}
  volume: {type: BIGINT, unit: shares, doc: "null without a trade"}
  mark: {type: DOUBLE, unit: inr, doc: "value of a share: the close, or the last one carried, rescaled for what went ex since"}
  sessions_stale: {type: INTEGER, unit: sessions, doc: "since the last trade; 0 on a session with one"}
  share_factor: {type: DOUBLE, unit: ratio, doc: "shares held after this session's corporate actions for each one before"}
  cash_per_share: {type: DOUBLE, unit: inr, doc: "cash for each share held before: dividends going ex, and what rights or a demerger take out of the price"}
  action: {type: VARCHAR, doc: "kinds of the corporate actions, joined by +; null without one"}
---
The market as the ledger needs it: every session of every security ever targeted, from its first decision until it has been without a
trade long enough to be closed. Holes are rows here, so a holding is always worth something and always says how stale that is.
An action may take more out of the price than it adds in shares (rights, a demerger): the holder is paid the difference at the last mark, as if
the entitlement were sold for what it is worth in theory, so that what is no loss in pit.returns is none in the book.
*/
with targeted as (
    select
        security_id,
        min(date) as first_date,
    from portfolio.targets
    group by security_id
),

traded as (
    select
        prices.session_no,
        prices.security_id,
        prices.ticker,
        prices.open,
        prices.high,
        prices.low,
        prices.close,
        prices.volume,
    from pit.prices as prices
    inner join targeted on targeted.security_id = prices.security_id and prices.date >= targeted.first_date
    where prices.volume > 0 and prices.close > 0
),

lives as (
    select
        security_id,
        min(session_no) as first_no,
        max(session_no) as last_no,
    from traded
    group by security_id
),

grid as (
    select
        sessions.date,
        sessions.session_no,
        lives.security_id,
    from lives
    inner join pit.sessions as sessions
        on sessions.session_no between lives.first_no and lives.last_no + {{ delist_after_sessions }}
),

calendar as (
    select
        date,
        session_no,
        lag(date) over (order by session_no) as previous_date,
    from pit.sessions
),

-- an action that goes ex on a holiday counts from the next session
actions as (
    select
        calendar.session_no,
        actions.security_id,
        product(coalesce(actions.share_factor, 1.0) order by actions.ex_date, actions.kind) as share_factor,
        sum(coalesce(actions.cash_inr, 0.0) order by actions.ex_date, actions.kind) as cash_per_share,
        product(coalesce(actions.share_factor, 1.0) * coalesce(actions.price_factor, 1.0) order by actions.ex_date, actions.kind) as kept,
        string_agg(actions.kind, '+' order by actions.ex_date, actions.kind) as action,
    from pit.corporate_actions as actions
    inner join targeted on targeted.security_id = actions.security_id
    inner join calendar on actions.ex_date > calendar.previous_date and actions.ex_date <= calendar.date
    where coalesce(actions.share_factor, 1.0) != 1.0 or coalesce(actions.cash_inr, 0.0) != 0.0 or coalesce(actions.price_factor, 1.0) != 1.0
    group by calendar.session_no, actions.security_id
),

filled as (
    select
        grid.date,
        grid.session_no,
        grid.security_id,
        traded.ticker,
        traded.open,
        traded.high,
        traded.low,
        traded.close,
        traded.volume,
        coalesce(actions.share_factor, 1.0) as share_factor,
        coalesce(actions.cash_per_share, 0.0) as cash_per_share,
        actions.action,
        -- files round factors to a few digits: a loss that small is none
        if(actions.kept < 0.999, actions.kept, 1.0) as kept,
        -- lint: allow division: pit.corporate_actions promises factors above zero
        product(coalesce(actions.share_factor, 1.0) / if(actions.kept < 0.999, actions.kept, 1.0)) over life as growth,
    from grid
    left join traded on traded.security_id = grid.security_id and traded.session_no = grid.session_no
    left join actions on actions.security_id = grid.security_id and actions.session_no = grid.session_no
    window life as (partition by grid.security_id order by grid.session_no rows between unbounded preceding and current row)
),

carried as (
    select
        *,
        last_value(ticker ignore nulls) over life as last_ticker,
        last_value(close ignore nulls) over life as last_close,
        last_value(case when close is not null then growth end ignore nulls) over life as last_growth,
        last_value(case when close is not null then session_no end ignore nulls) over life as last_no,
    from filled
    window life as (partition by security_id order by session_no rows between unbounded preceding and current row)
),

marked as (
    select
        *,
        last_close * (last_growth / nullif(growth, 0.0)) as mark,
    from carried
),

followed as (
    select
        *,
        lag(mark) over (partition by security_id order by session_no) as last_mark,
    from marked
)

select
    date,
    session_no,
    security_id,
    last_ticker as ticker,
    open,
    high,
    low,
    close,
    volume,
    mark,
    session_no - last_no as sessions_stale,
    share_factor,
    cash_per_share + coalesce(last_mark * (1.0 - kept), 0.0) as cash_per_share,
    action,
from followed
-- a longer hole is not the ledger's: whether a name comes back cannot be known in it
where session_no - last_no <= {{ delist_after_sessions }}
