/*---
date: date
grain: [date, portfolio, basis]
references: {date: pit.sessions.date}
order: [portfolio, basis, date]
checks:
  - nav > 0
  - basis in ('gross', 'net', 'after_tax')
  - abs(value_inr - equity_inr - cash_inr) <= 1e-9 * value_inr
  - name: starts_at_one
    query: >-
      with firsts as (select portfolio, basis, min(date) as date from book.nav group by portfolio, basis)
      select nav.portfolio, nav.basis, nav.nav from book.nav as nav inner join firsts using (portfolio, basis, date) where nav.nav != 1.0
  - name: value_is_yesterday_plus_pnl_less_costs_and_taxes
    query: >-
      with pnl as (select portfolio, date, sum(pnl_inr) as pnl_inr from book.pnl group by portfolio, date),
      steps as (select nav.portfolio, nav.date, nav.value_inr, nav.costs_inr + nav.tax_inr + nav.financing_inr as paid_inr, lag(nav.value_inr) over (partition by nav.portfolio order by nav.date) as previous_inr
      from book.nav as nav where nav.basis = 'after_tax')
      select steps.* from steps left join pnl on pnl.portfolio = steps.portfolio and pnl.date = steps.date
      where abs(steps.value_inr - (steps.previous_inr + coalesce(pnl.pnl_inr, 0.0) - steps.paid_inr)) > 1e-9 * steps.value_inr
  - name: costs_of_trades_are_booked_costs
    query: >-
      with traded as (select portfolio, sum(cost_inr) as costs_inr from book.trades group by portfolio),
      booked as (select portfolio, sum(costs_inr) as costs_inr from book.nav where basis = 'after_tax' group by portfolio)
      select booked.* from booked left join traded on traded.portfolio = booked.portfolio
      where abs(booked.costs_inr - coalesce(traded.costs_inr, 0.0)) > 1e-9 * greatest(booked.costs_inr, 1.0)
columns:
  date: {type: DATE, doc: "session, at its close"}
  session_no: {type: INTEGER, doc: "pit.sessions"}
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  basis: {type: VARCHAR, doc: "after_tax is what happened; net adds back the taxes of each session; gross adds back its costs too"}
  nav: {type: DOUBLE, unit: ratio, doc: "value of one rupee put in at the inception; the first row is 1.0"}
  value_inr: {type: DOUBLE, unit: inr, doc: "equity and cash; for net and gross, nav × capital"}
  equity_inr: {type: DOUBLE, unit: inr, doc: "holdings at their marks; for net and gross, the same part of the value as for after_tax"}
  cash_inr: {type: DOUBLE, unit: inr, doc: "the rest"}
  gross_exposure: {type: DOUBLE, unit: ratio, doc: "equity over value"}
  costs_inr: {type: DOUBLE, unit: inr, doc: "charges, slippage and impact of the session; zero for gross"}
  tax_inr: {type: DOUBLE, unit: inr, doc: "tax paid in the session, below zero where some came back; zero for net and gross"}
  financing_inr: {type: DOUBLE, unit: inr, doc: "interest paid on borrowed cash in the session, on every basis: it is part of the strategy"}
  throttle: {type: DOUBLE, unit: ratio, doc: "what the drawdown leaves of the exposure after this close; null without such a rule"}
  vol_scale: {type: DOUBLE, unit: ratio, doc: "what the volatility target makes of the exposure after this close; null without such a rule"}
---
Value of each portfolio at the close of each session, from its inception: the evening of its first decision, all cash. One path, three
bases: the net return of a session is (value + taxes) / value of the evening before − 1, the gross one (value + taxes + costs) / that − 1.
*/
with equity as (
    select
        portfolio,
        date,
        {{ stable_sum('value_inr', 8) }} as equity_inr,
    from book.positions
    group by portfolio, date
),

-- a multiplier is written down when it changes
told as (
    select
        portfolio,
        date,
        arg_max(level, seq) filter (where reason = 'throttle') as throttle,
        arg_max(level, seq) filter (where reason = 'vol_scale') as vol_scale,
    from book.events
    where kind = 'exposure'
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
        cash.tax_inr,
        cash.financing_inr,
        last_value(told.throttle ignore nulls) over path as throttle,
        last_value(told.vol_scale ignore nulls) over path as vol_scale,
    from book.cash as cash
    left join equity on equity.portfolio = cash.portfolio and equity.date = cash.date
    left join told on told.portfolio = cash.portfolio and told.date = cash.date
    window path as (partition by cash.portfolio order by cash.session_no rows between unbounded preceding and current row)
),

grown as (
    select
        *,
        coalesce((value_inr + tax_inr) / nullif(lag(value_inr) over path, 0.0), 1.0) as net_growth,
        coalesce((value_inr + tax_inr + costs_inr) / nullif(lag(value_inr) over path, 0.0), 1.0) as gross_growth,
    from valued
    window path as (partition by portfolio order by session_no)
),

compounded as (
    select
        *,
        value_inr / nullif(capital_inr, 0.0) as after_tax_nav,
        -- a product in whatever order: a session without a move leaves it exactly as it was; a book that lost all stays at nothing
        if(min(net_growth) over path > 0.0, exp(sum(cast(ln(greatest(net_growth, 1e-15)) as decimal(38, 20))) over path), 0.0) as net_nav,
        if(min(gross_growth) over path > 0.0, exp(sum(cast(ln(greatest(gross_growth, 1e-15)) as decimal(38, 20))) over path), 0.0) as gross_nav,
        equity_inr / nullif(value_inr, 0.0) as exposure,
        -- not 1 less the exposure: what is left of a book without cash would be rounding
        cash_inr / nullif(value_inr, 0.0) as cash_share,
    from grown
    window path as (partition by portfolio order by session_no rows between unbounded preceding and current row)
),

based as (
    select *, 'after_tax' as basis, after_tax_nav as nav from compounded
    union all
    select *, 'net' as basis, net_nav as nav from compounded
    union all
    select *, 'gross' as basis, gross_nav as nav from compounded
)

select
    date,
    session_no,
    portfolio,
    basis,
    nav,
    if(basis = 'after_tax', value_inr, nav * capital_inr) as value_inr,
    if(basis = 'after_tax', equity_inr, exposure * nav * capital_inr) as equity_inr,
    if(basis = 'after_tax', cash_inr, cash_share * nav * capital_inr) as cash_inr,
    exposure as gross_exposure,
    if(basis = 'gross', 0.0, costs_inr) as costs_inr,
    if(basis = 'after_tax', tax_inr, 0.0) as tax_inr,
    financing_inr,
    throttle,
    vol_scale,
from based
