/*---
date: date
grain: [portfolio, date]
references: {date: pit.sessions.date}
order: [portfolio, date]
checks:
  - costs_inr >= 0
  - financing_inr >= 0
  - name: only_stated_leverage_borrows
    query: >-
      select cash.date, cash.portfolio, cash.cash_inr from book.cash as cash
      left join config.portfolios as portfolios on portfolios.portfolio = cash.portfolio
      left join config.risk as rules on rules.overlay = portfolios.overlay and rules.max_exposure > 1 and rules.financing_rate is not null
      where cash.cash_inr < -0.01 and rules.overlay is null
columns:
  date: {type: DATE, doc: "session, from the inception on"}
  session_no: {type: INTEGER, doc: "pit.sessions"}
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  capital_inr: {type: DOUBLE, unit: inr, doc: "cash at inception"}
  flow_inr: {type: DOUBLE, unit: inr, doc: "change of cash in the session"}
  costs_inr: {type: DOUBLE, unit: inr, doc: "charges, slippage and impact of the session's fills"}
  tax_inr: {type: DOUBLE, unit: inr, doc: "tax paid in the session; below zero where some came back"}
  financing_inr: {type: DOUBLE, unit: inr, doc: "interest paid in the session on borrowed cash"}
  cash_inr: {type: DOUBLE, unit: inr, doc: "cash at the close"}
---
Cash of each portfolio at the close of each session: the sum of every change since the inception.
*/
with inceptions as (
    select
        portfolio,
        date as inception_date,
        cash_inr as capital_inr,
    from book.events
    where kind = 'inception'
),

flows as (
    select
        portfolio,
        date,
        sum(cash_inr order by seq) as flow_inr,
        sum(if(kind = 'tax', -cash_inr, 0.0) order by seq) as tax_inr,
        sum(if(kind = 'financing', -cash_inr, 0.0) order by seq) as financing_inr,
    from book.events
    group by portfolio, date
),

costs as (
    select
        portfolio,
        date,
        sum(cost_inr order by seq) as costs_inr,
    from book.trades
    group by portfolio, date
)

select
    sessions.date,
    sessions.session_no,
    inceptions.portfolio,
    inceptions.capital_inr,
    coalesce(flows.flow_inr, 0.0) as flow_inr,
    coalesce(costs.costs_inr, 0.0) as costs_inr,
    coalesce(flows.tax_inr, 0.0) as tax_inr,
    coalesce(flows.financing_inr, 0.0) as financing_inr,
    -- exact, in whatever order: little cash is what large flows leave
    (sum(cast(coalesce(flows.flow_inr, 0.0) as decimal(38, 9))) over (
        partition by inceptions.portfolio order by sessions.session_no rows between unbounded preceding and current row
    ))::double as cash_inr,
from inceptions
-- lint: allow time_join: a portfolio has a row in every session from its first
inner join pit.sessions as sessions on sessions.date >= inceptions.inception_date
left join flows on flows.portfolio = inceptions.portfolio and flows.date = sessions.date
left join costs on costs.portfolio = inceptions.portfolio and costs.date = sessions.date
