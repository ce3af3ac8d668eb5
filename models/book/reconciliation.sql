/*---
date: date
grain: [date, account, statement_date, security_id]
references: {date: pit.sessions.date, security_id: pit.securities.security_id}
order: [account, date, security_id]
checks:
  - status in ('agrees', 'differs', 'not in the statement', 'not in the book')
  - name: statements_agree_with_trades
    level: warn
    query: >-
      select * from book.reconciliation where status != 'agrees' and date > (select max(date) - 92 from pit.sessions)
columns:
  date: {type: DATE, doc: "session whose evening knew the line first"}
  account: {type: VARCHAR, doc: "the account at a broker"}
  statement_date: {type: DATE, doc: "day of the statement"}
  security_id: {type: BIGINT, doc: "pit.securities"}
  ticker: {type: VARCHAR, doc: "ticker"}
  qty: {type: BIGINT, unit: shares, doc: "by trades and corporate actions, at the statement's day as known that evening; 0 where none"}
  reported_qty: {type: BIGINT, unit: shares, doc: "by the statement; 0 where it lacks the name"}
  difference_qty: {type: BIGINT, unit: shares, doc: "reported less booked"}
  status: {type: VARCHAR, doc: "agrees, differs, not in the statement, not in the book"}
---
What an account holds by its broker's statements against what its trades say it should: one row a name and statement. A bonus that the exchange announced
late, a trade that was reported late and a line that is missing all show here, on the evening they could first be seen.
*/
with calendar as (
    {{ sessions_since() }}
),

lines as (
    select
        calendar.date,
        holdings.account,
        holdings.date as statement_date,
        holdings.security_id,
        holdings.ticker,
        holdings.qty,
        holdings.known_from,
    from pit.holdings as holdings
    inner join calendar
        on greatest(holdings.date, {{ decision_date('holdings.known_from') }}) > calendar.previous_date
        and greatest(holdings.date, {{ decision_date('holdings.known_from') }}) <= calendar.date
),

-- two versions that one evening heard of: the later counts
heard as (
    select *
    from lines
    qualify row_number() over (partition by date, account, statement_date, security_id order by known_from desc) = 1
),

-- each statement is compared whole on the evening it came, later only in the lines that are new
came as (
    select account, statement_date, min(date) as date
    from heard
    group by account, statement_date
),

asked as (
    select came.account, came.statement_date, came.date, max(sessions.date) as book_date
    from came
    -- lint: allow time_join: the last session up to a statement's day
    inner join pit.sessions as sessions on sessions.date <= came.statement_date
    group by came.account, came.statement_date, came.date
),

booked as (
    select asked.account, asked.statement_date, asked.date, asked.book_date, positions.security_id, positions.ticker, positions.qty
    from asked
    inner join book.real_positions as positions on positions.account = asked.account and positions.date = asked.book_date
),

both_sides as (
    select
        coalesce(heard.date, booked.date) as date,
        coalesce(heard.account, booked.account) as account,
        coalesce(heard.statement_date, booked.statement_date) as statement_date,
        coalesce(heard.security_id, booked.security_id) as security_id,
        coalesce(heard.ticker, booked.ticker) as ticker,
        heard.qty as reported_qty,
        booked.qty,
    from heard
    full join booked
        on booked.account = heard.account
        and booked.statement_date = heard.statement_date
        and booked.security_id = heard.security_id
        and booked.date = heard.date
)

select
    both_sides.date,
    both_sides.account,
    both_sides.statement_date,
    both_sides.security_id,
    both_sides.ticker,
    coalesce(both_sides.qty, later.qty, 0) as qty,
    coalesce(both_sides.reported_qty, 0) as reported_qty,
    coalesce(both_sides.reported_qty, 0) - coalesce(both_sides.qty, later.qty, 0) as difference_qty,
    case
        when coalesce(both_sides.reported_qty, 0) = coalesce(both_sides.qty, later.qty, 0) then 'agrees'
        when both_sides.reported_qty is null then 'not in the statement'
        when coalesce(both_sides.qty, later.qty) is null then 'not in the book'
        else 'differs'
    end as status,
from both_sides
-- lines that came after their statement
left join asked on asked.account = both_sides.account and asked.statement_date = both_sides.statement_date and asked.date < both_sides.date
left join book.real_positions as later
    on later.account = asked.account and later.date = asked.book_date and later.security_id = both_sides.security_id
