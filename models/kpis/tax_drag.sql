/*---
grain: [portfolio, window]
knowable: "coalesce(make_date(try_cast(\"window\" as integer) + 1, 1, 1), date '9999-12-31')"
columns:
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  window: {type: VARCHAR, doc: "kpis.windows"}
  base_date: {type: DATE, doc: "kpis.windows"}
  last_date: {type: DATE, doc: "kpis.windows"}
  stcg_inr: {type: DOUBLE, unit: inr, doc: "short-term gains less losses of sales in the window"}
  ltcg_inr: {type: DOUBLE, unit: inr, doc: "long-term gains less losses of sales in the window"}
  tax_paid_inr: {type: DOUBLE, unit: inr, doc: "paid in the window, refunds deducted"}
  unpaid_inr: {type: DOUBLE, unit: inr, doc: "accrued and not paid at its end"}
  tax_of_value_ann: {type: DOUBLE, unit: ratio a year, doc: "tax paid over the average value of the portfolio"}
  net_cagr: {type: DOUBLE, unit: ratio a year, doc: "kpis.measures, after costs and before taxes"}
  after_tax_cagr: {type: DOUBLE, unit: ratio a year, doc: "kpis.measures, what happened"}
  tax_drag_ann: {type: DOUBLE, unit: ratio a year, doc: "what taxes took of the CAGR"}
---
What taxes cost in each window. Paid tax is what left the portfolio: of a window's last gains some of it is paid later, as `unpaid_inr` says, and nothing is
said of gains that were not taken.
*/
with spans as (
    select
        after_tax.portfolio,
        after_tax."window",
        after_tax.base_date,
        after_tax.last_date,
        after_tax.days,
        net.cagr as net_cagr,
        after_tax.cagr as after_tax_cagr,
    from kpis.measures as after_tax
    inner join kpis.measures as net
        on net.portfolio = after_tax.portfolio and net."window" = after_tax."window" and net.basis = 'net'
    where after_tax.basis = 'after_tax'
),

gains as (
    select
        spans.portfolio,
        spans."window",
        sum(if(gains.term = 'STCG', gains.gain_inr, 0.0) order by gains.seq) as stcg_inr,
        sum(if(gains.term = 'LTCG', gains.gain_inr, 0.0) order by gains.seq) as ltcg_inr,
    from spans
    inner join book.realised_gains as gains
        on gains.portfolio = spans.portfolio and gains.date > spans.base_date and gains.date <= spans.last_date
    group by spans.portfolio, spans."window"
),

paid as (
    select
        spans.portfolio,
        spans."window",
        sum(nav.tax_inr order by nav.date) as tax_paid_inr,
        avg(nav.value_inr order by nav.date) as average_value_inr,
    from spans
    inner join book.nav as nav
        on nav.portfolio = spans.portfolio
        and nav.basis = 'after_tax'
        and nav.date > spans.base_date
        and nav.date <= spans.last_date
    group by spans.portfolio, spans."window"
)

select
    spans.portfolio,
    spans."window",
    spans.base_date,
    spans.last_date,
    coalesce(gains.stcg_inr, 0.0) as stcg_inr,
    coalesce(gains.ltcg_inr, 0.0) as ltcg_inr,
    paid.tax_paid_inr,
    coalesce(unpaid.unpaid_inr, 0.0) as unpaid_inr,
    paid.tax_paid_inr * 365.25 / nullif(paid.average_value_inr * spans.days, 0.0) as tax_of_value_ann,
    spans.net_cagr,
    spans.after_tax_cagr,
    spans.net_cagr - spans.after_tax_cagr as tax_drag_ann,
from spans
inner join paid on paid.portfolio = spans.portfolio and paid."window" = spans."window"
left join gains on gains.portfolio = spans.portfolio and gains."window" = spans."window"
left join book.unpaid_tax as unpaid
    on unpaid.portfolio = spans.portfolio and unpaid.from_date <= spans.last_date and spans.last_date < unpaid.to_date
