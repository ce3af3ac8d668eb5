/*---
date: date
grain: [date, account, trade_date, exchange, trade_id, reported_at, kind]
references: {date: pit.sessions.date, security_id: pit.securities.security_id}
order: [account, date, security_id, trade_id]
checks:
  - kind in ('opening', 'fill', 'action', 'dividend', 'undone')
  - date >= trade_date
columns:
  date: {type: DATE, doc: "session in which it counts: its own, or the first whose decision knew of it"}
  session_no: {type: INTEGER, doc: "pit.sessions"}
  account: {type: VARCHAR, doc: "the account at a broker"}
  kind: {type: VARCHAR, doc: "opening (a line of the first statement), fill, action (shares of a split or bonus), dividend, undone (what was corrected or taken back)"}
  security_id: {type: BIGINT, doc: "pit.securities"}
  ticker: {type: VARCHAR, doc: "as the broker writes it"}
  trade_date: {type: DATE, doc: "trade date; of an opening, the day of the statement"}
  exchange: {type: VARCHAR, doc: "exchange of the trade; empty of an opening"}
  trade_id: {type: VARCHAR, doc: "number of the trade; of an opening, the word"}
  order_id: {type: VARCHAR, doc: "number of the order"}
  reported_at: {type: TIMESTAMPTZ, doc: "when the broker reported this version"}
  side: {type: VARCHAR, doc: "buy or sell; null of an opening"}
  qty: {type: BIGINT, unit: shares, doc: "shares traded, as reported"}
  price: {type: DOUBLE, unit: inr, doc: "as reported; null of an opening"}
  is_doubtful: {type: BOOLEAN, doc: "the reported price lies outside the session's range, so the close stands for it in cash_inr"}
  shares: {type: DOUBLE, unit: shares, doc: "change of the shares held, fractions of bonuses included"}
  cash_inr: {type: DOUBLE, unit: inr, doc: "change of cash, charges left out"}
---
The real book's events: what accounts of yours did, as their brokers reported it. A row dated d is what the evening of d knew first; a trade reported
later, or corrected, counts when it is heard of, and what it replaces is undone in that same session. Shares bought before an ex-date grow by what
was believed of the action. An account whose statement is known before any of its trades opens with it: trades up to its day are in it.
Account data: no paper portfolio reads this table.
*/
with calendar as (
    {{ sessions_since() }}
),

prints as (
    select *
    from ({{ prices_then('date, security_id, low, high, close') }})
    where security_id in (select fills.security_id from pit.fills as fills)
),

reported as (
    select
        account,
        date as trade_date,
        exchange,
        trade_id,
        order_id,
        security_id,
        ticker,
        side,
        qty,
        price,
        if(side = 'buy', qty, -qty) as shares,
        known_from as reported_at,
        greatest(date, {{ decision_date('known_from') }}) as from_on,
        {{ decision_date('known_to') }} as to_on,
    from pit.fills
),

statements as (
    select
        account,
        date,
        min(greatest(date, {{ decision_date('known_from') }})) as seen_on,
    from pit.holdings
    group by account, date
),

-- the statement that was heard of first, unless trades were heard of before it
openings as (
    select first_heard.account, first_heard.date
    from (
        select account, date, seen_on
        from statements
        qualify row_number() over (partition by account order by seen_on, date) = 1
    ) as first_heard
    where not exists (
        select 1
        from reported
        where reported.account = first_heard.account and reported.from_on <= first_heard.seen_on and reported.trade_date <= first_heard.date
    )
),

lots as (
    select reported.*, 'fill' as kind
    from reported
    left join openings on openings.account = reported.account
    where reported.from_on < reported.to_on and coalesce(reported.trade_date > openings.date, true)
    union all by name
    select
        holdings.account,
        holdings.date as trade_date,
        '' as exchange,
        'opening ' || holdings.security_id as trade_id,
        'opening' as order_id,
        holdings.security_id,
        holdings.ticker,
        holdings.qty,
        holdings.qty as shares,
        holdings.known_from as reported_at,
        greatest(holdings.date, {{ decision_date('holdings.known_from') }}) as from_on,
        {{ decision_date('holdings.known_to') }} as to_on,
        'opening' as kind,
    from pit.holdings as holdings
    inner join openings on openings.account = holdings.account and openings.date = holdings.date
    where holdings.qty > 0 and greatest(holdings.date, {{ decision_date('holdings.known_from') }}) < {{ decision_date('holdings.known_to') }}
),

priced as (
    select
        lots.*,
        -- another exchange's range is about the same
        coalesce(
            lots.price > prints.high * if(lots.exchange = 'NSE', 1.0, 1.02) or lots.price < prints.low * if(lots.exchange = 'NSE', 1.0, 0.98),
            false
        ) as is_doubtful,
        prints.close,
    from lots
    left join prints on prints.security_id = lots.security_id and prints.date = lots.trade_date
),

believed as (
    {{ actions_believed() }}
),

entitled as (
    select
        priced.account,
        priced.trade_date,
        priced.exchange,
        priced.trade_id,
        priced.reported_at,
        priced.from_on as lot_from_on,
        priced.to_on as lot_to_on,
        believed.ex_date,
        believed.kind,
        believed.share_factor,
        believed.cash_inr,
        greatest(believed.from_on, priced.from_on) as from_on,
        least(believed.to_on, priced.to_on) as to_on,
    from priced
    inner join believed
        on believed.security_id = priced.security_id
        and believed.ex_date > priced.trade_date
        and believed.from_on < priced.to_on
        and believed.to_on > priced.from_on
),

-- days on which the shares of a lot change while it stands
turns as (
    select account, trade_date, exchange, trade_id, reported_at, from_on as on_day
    from priced
    union
    select account, trade_date, exchange, trade_id, reported_at, from_on
    from entitled
    where share_factor != 1.0
    union
    select account, trade_date, exchange, trade_id, reported_at, to_on
    from entitled
    where share_factor != 1.0 and to_on < lot_to_on
),

grown as (
    select
        turns.*,
        coalesce(product(entitled.share_factor order by entitled.ex_date, entitled.kind), 1.0) as growth,
    from turns
    left join entitled
        on entitled.account = turns.account
        and entitled.trade_date = turns.trade_date
        and entitled.exchange = turns.exchange
        and entitled.trade_id = turns.trade_id
        and entitled.reported_at = turns.reported_at
        and entitled.from_on <= turns.on_day
        and turns.on_day < entitled.to_on
    group by all
),

steps as (
    select
        *,
        lag(growth) over lot as growth_before,
        lead(on_day) over lot is null as is_last,
    from grown
    window lot as (partition by account, trade_date, exchange, trade_id, reported_at order by on_day)
),

changes as (
    select
        priced.* exclude (kind, shares, from_on, to_on, close),
        if(steps.growth_before is null, priced.kind, 'action') as kind,
        steps.on_day,
        priced.shares * (steps.growth - coalesce(steps.growth_before, 0.0)) as shares,
        if(steps.growth_before is null, -priced.shares * if(priced.is_doubtful, priced.close, priced.price), 0.0) as cash_inr,
    from steps
    inner join priced using (account, trade_date, exchange, trade_id, reported_at)
    union all by name
    select
        priced.* exclude (kind, shares, from_on, to_on, close),
        'undone' as kind,
        priced.to_on as on_day,
        -priced.shares * steps.growth as shares,
        priced.shares * if(priced.is_doubtful, priced.close, priced.price) as cash_inr,
    from steps
    inner join priced using (account, trade_date, exchange, trade_id, reported_at)
    where steps.is_last and priced.to_on < date '9999-12-31'
),

-- cash on the shares held the day before the ex-date, taken back where the action or the trade is
dividends as (
    select
        entitled.account,
        entitled.trade_date,
        entitled.exchange,
        entitled.trade_id,
        entitled.reported_at,
        entitled.ex_date,
        entitled.kind,
        entitled.cash_inr,
        entitled.from_on,
        entitled.to_on,
        coalesce(product(before.share_factor order by before.ex_date, before.kind), 1.0) as growth,
    from entitled
    left join entitled as before
        on before.account = entitled.account
        and before.trade_date = entitled.trade_date
        and before.exchange = entitled.exchange
        and before.trade_id = entitled.trade_id
        and before.reported_at = entitled.reported_at
        and before.ex_date < entitled.ex_date
        and before.from_on <= entitled.from_on
        and entitled.from_on < before.to_on
    where entitled.cash_inr != 0.0
    group by all
),

paid as (
    select account, trade_date, exchange, trade_id, reported_at, from_on as on_day, cash_inr * growth as cash_per_share from dividends
    union all
    select account, trade_date, exchange, trade_id, reported_at, to_on, -cash_inr * growth from dividends where to_on < date '9999-12-31'
),

counted as (
    select * exclude (shares, cash_inr), shares, cash_inr from changes
    union all by name
    select
        priced.* exclude (kind, shares, from_on, to_on, close),
        'dividend' as kind,
        paid.on_day,
        0.0 as shares,
        priced.shares * paid.cash_per_share as cash_inr,
    from paid
    inner join priced using (account, trade_date, exchange, trade_id, reported_at)
)

select
    calendar.date,
    calendar.session_no,
    counted.account,
    counted.kind,
    counted.security_id,
    max(counted.ticker) as ticker,
    counted.trade_date,
    counted.exchange,
    counted.trade_id,
    max(counted.order_id) as order_id,
    counted.reported_at,
    max(counted.side) as side,
    max(counted.qty) as qty,
    max(counted.price) as price,
    bool_or(counted.is_doubtful) as is_doubtful,
    sum(counted.shares order by counted.on_day, counted.shares) as shares,
    coalesce(sum(counted.cash_inr order by counted.on_day, counted.cash_inr), 0.0) as cash_inr,
from counted
inner join calendar on counted.on_day > calendar.previous_date and counted.on_day <= calendar.date
group by
    calendar.date,
    calendar.session_no,
    counted.account,
    counted.kind,
    counted.security_id,
    counted.trade_date,
    counted.exchange,
    counted.trade_id,
    counted.reported_at
