/*---
date: date
grain: [date, portfolio, basis]
references: {date: pit.sessions.date}
order: [portfolio, basis, date]
checks:
  - nav > 0
  - basis in ('gross', 'net')
  - abs(value_inr - equity_inr - cash_inr) <= 1e-9 * value_inr
  - name: starts_at_one
    query: >-
      with firsts as (select portfolio, basis, min(date) as date from book.nav group by portfolio, basis)
      select nav.portfolio, nav.basis, nav.nav from book.nav as nav inner join firsts using (portfolio, basis, date) where nav.nav != 1.0
  - name: value_is_yesterday_plus_pnl_less_costs
    query: >-
      with pnl as (select portfolio, date, sum(pnl_inr) as pnl_inr from book.pnl group by portfolio, date),
      steps as (select nav.portfolio, nav.date, nav.value_inr, nav.costs_inr, lag(nav.value_inr) over (partition by nav.portfolio order by nav.date) as previous_inr
      from book.nav as nav where nav.basis = 'net')
      select steps.* from steps left join pnl on pnl.portfolio = steps.portfolio and pnl.date = steps.date
      where abs(steps.value_inr - (steps.previous_inr + coalesce(pnl.pnl_inr, 0.0) - steps.costs_inr)) > 1e-9 * steps.value_inr
  - name: costs_of_trades_are_booked_costs
    query: >-
      with traded as (select portfolio, sum(cost_inr) as costs_inr from book.trades group by portfolio),
      booked as (select portfolio, sum(costs_inr) as costs_inr from book.nav where basis = 'net' group by portfolio)
      select booked.* from booked left join traded on traded.portfolio = booked.portfolio
      where abs(booked.costs_inr - coalesce(traded.costs_inr, 0.0)) > 1e-9 * greatest(booked.costs_inr, 1.0)
columns:
  date: {type: DATE, doc: "session, at its close"}
  session_no: {type: INTEGER, doc: "pit.sessions"}
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  basis: {type: VARCHAR, doc: "net is what happened; gross adds back the costs of each session"}
  nav: {type: DOUBLE, unit: ratio, doc: "value of one rupee put in at the inception; the first row is 1.0"}
  value_inr: {type: DOUBLE, unit: inr, doc: "equity and cash; for gross, nav × capital"}
  equity_inr: {type: DOUBLE, unit: inr, doc: "holdings at their marks; for gross, the same part of the value as for net"}
  cash_inr: {type: DOUBLE, unit: inr, doc: "the rest"}
  gross_exposure: {type: DOUBLE, unit: ratio, doc: "equity over value"}
  costs_inr: {type: DOUBLE, unit: inr, doc: "charges and slippage of the session; zero for gross"}
  tax_inr: {type: DOUBLE, unit: inr, doc: "null: no step of the fold pays tax"}
  throttle: {type: DOUBLE, unit: ratio, doc: "null: no step of the fold scales for drawdown"}
  vol_scale: {type: DOUBLE, unit: ratio, doc: "null: no step of the fold scales for volatility"}
---
Value of each portfolio at the close of each session, from its inception: the evening of its first decision, all cash. One path, two
bases: the gross return of a session is (value + costs) / value of the evening before − 1.
*/
with equity as (
    select
        portfolio,
        date,
        {{ stable_sum('value_inr', 8) }} as equity_inr,
    from book.positions
    group by portfolio, date
),

valued as (
    select
        cash.date,
        cash.session_no,
        cash.portfolio,
        cash.capital_inr,
        coalesce(equity.equity_inr, 0.0) as equity_inr,
        cash.cash_inr,
        coalesce(equity.equity_inr, 0.0) + cash.cash_inr as value_inr,
        cash.costs_inr,
    from book.cash as cash
    left join equity on equity.portfolio = cash.portfolio and equity.date = cash.date
),

grown as (
    select
        *,
        coalesce((value_inr + costs_inr) / nullif(lag(value_inr) over path, 0.0), 1.0) as gross_growth,
    from valued
    window path as (partition by portfolio order by session_no)
),

compounded as (
    select
        *,
        value_inr / nullif(capital_inr, 0.0) as net_nav,
        product(gross_growth) over (
            partition by portfolio order by session_no rows between unbounded preceding and current row
        ) as gross_nav,
        equity_inr / nullif(value_inr, 0.0) as exposure,
    from grown
)

select
    date,
    session_no,
    portfolio,
    'net' as basis,
    net_nav as nav,
    value_inr,
    equity_inr,
    cash_inr,
    exposure as gross_exposure,
    costs_inr,
    null::double as tax_inr,
    null::double as throttle,
    null::double as vol_scale,
from compounded
union all
select
    date,
    session_no,
    portfolio,
    'gross' as basis,
    gross_nav as nav,
    gross_nav * capital_inr as value_inr,
    exposure * gross_nav * capital_inr as equity_inr,
    gross_nav * capital_inr - exposure * gross_nav * capital_inr as cash_inr,
    exposure as gross_exposure,
    0.0 as costs_inr,
    null::double as tax_inr,
    null::double as throttle,
    null::double as vol_scale,
from compounded
