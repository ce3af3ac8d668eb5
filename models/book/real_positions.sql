/*---
date: date
grain: [date, account, security_id]
references: {date: pit.sessions.date, security_id: pit.securities.security_id}
order: [account, date, security_id]
checks:
  - qty != 0
  - close > 0
  - {rows: "qty > 0", level: warn, name: nothing_is_sold_that_was_not_bought}
columns:
  date: {type: DATE, doc: "session, at its close"}
  session_no: {type: INTEGER, doc: "pit.sessions"}
  account: {type: VARCHAR, doc: "the account at a broker"}
  security_id: {type: BIGINT, doc: "pit.securities"}
  ticker: {type: VARCHAR, doc: "ticker of the last print"}
  qty: {type: BIGINT, unit: shares, doc: "whole shares by the reports known that evening; below zero where a purchase is missing from them"}
  close: {type: DOUBLE, unit: inr, doc: "close, or the last one carried, rescaled for what went ex since"}
  value_inr: {type: DOUBLE, unit: inr, doc: "qty × close"}
  weight: {type: DOUBLE, unit: ratio, doc: "of all that the account holds"}
  is_stale: {type: BOOLEAN, doc: "the name did not trade in this session"}
---
What each account of yours holds at the close of each session, by its broker's reports as they were known that evening. Fractions of a share are
paid out. Account data: no paper portfolio reads this table.
*/
with calendar as (
    {{ sessions_since() }}
),

changes as (
    select account, security_id, session_no, {{ stable_sum('shares', 9) }} as shares
    from book.real_events
    group by account, security_id, session_no
),

held as (
    select
        account,
        security_id,
        session_no as from_no,
        lead(session_no, 1, 2147483647) over life as to_no,
        floor(
            sum(cast(shares as decimal(38, 9))) over (
                partition by account, security_id order by session_no rows between unbounded preceding and current row
            )::double + 1e-6
        )::bigint as qty,
    from changes
    window life as (partition by account, security_id order by session_no)
),

prints as (
    select
        session_no,
        date,
        security_id,
        ticker,
        close,
        lead(session_no, 1, 2147483647) over (partition by security_id order by session_no) as next_no,
    from ({{ prices_then('date, session_no, security_id, ticker, close, volume') }})
    where volume > 0 and close > 0 and security_id in (select security_id from held)
),

valued as (
    select
        calendar.date,
        calendar.session_no,
        held.account,
        held.security_id,
        held.qty,
        prints.ticker,
        prints.close,
        prints.date as print_date,
        prints.session_no < calendar.session_no as is_stale,
    from held
    inner join calendar on calendar.session_no >= held.from_no and calendar.session_no < held.to_no
    inner join prints
        on prints.security_id = held.security_id
        and prints.session_no <= calendar.session_no
        and calendar.session_no < prints.next_no
    where held.qty != 0
),

believed as (
    {{ actions_believed() }}
),

-- what went ex since the last print
rescaled as (
    select
        valued.date,
        valued.account,
        valued.security_id,
        product(believed.price_factor order by believed.ex_date, believed.kind) as price_factor,
    from valued
    inner join believed
        on believed.security_id = valued.security_id
        and believed.ex_date > valued.print_date
        and believed.from_on <= valued.date
        and valued.date < believed.to_on
    where valued.is_stale
    group by valued.date, valued.account, valued.security_id
),

marked as (
    select
        valued.*,
        valued.close * coalesce(rescaled.price_factor, 1.0) as mark,
    from valued
    left join rescaled
        on rescaled.date = valued.date and rescaled.account = valued.account and rescaled.security_id = valued.security_id
),

totals as (
    select account, date, {{ stable_sum('qty * mark', 8) }} as equity_inr
    from marked
    group by account, date
)

select
    marked.date,
    marked.session_no,
    marked.account,
    marked.security_id,
    marked.ticker,
    marked.qty,
    marked.mark as close,
    marked.qty * marked.mark as value_inr,
    marked.qty * marked.mark / nullif(totals.equity_inr, 0.0) as weight,
    marked.is_stale,
from marked
inner join totals on totals.account = marked.account and totals.date = marked.date
