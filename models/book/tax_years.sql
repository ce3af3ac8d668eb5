/*---
grain: [portfolio, financial_year]
order: [portfolio, financial_year]
knowable: settled_date
checks:
  - tax_inr >= 0
  - stcl_inr >= 0 and ltcl_inr >= 0 and carried_stcl_inr >= 0 and carried_ltcl_inr >= 0
  - abs(unpaid_inr - (tax_inr - paid_inr)) <= 1e-6
  - name: gains_of_sales_are_what_is_assessed
    query: >-
      with realised as (select portfolio, financial_year, sum(gain_inr) as gain_inr, sum(abs(gain_inr)) as size_inr from book.realised_gains
      group by portfolio, financial_year)
      select realised.*, years.stcg_inr - years.stcl_inr + years.ltcg_inr - years.ltcl_inr + years.untaxed_inr as assessed_inr from realised
      left join book.tax_years as years on years.portfolio = realised.portfolio and years.financial_year = realised.financial_year
      where {{ taxes }} and abs(realised.gain_inr - coalesce(years.stcg_inr - years.stcl_inr + years.ltcg_inr - years.ltcl_inr + years.untaxed_inr, 0))
      > 1e-9 * realised.size_inr + 0.01
  - name: cash_paid_is_tax_paid
    query: >-
      with paid as (select portfolio, sum(tax_inr) as tax_inr, sum(abs(tax_inr)) as size_inr from book.cash group by portfolio),
      said as (select portfolio, sum(paid_inr) as paid_inr from book.tax_years group by portfolio)
      select paid.*, said.paid_inr from paid left join said on said.portfolio = paid.portfolio
      where abs(paid.tax_inr - coalesce(said.paid_inr, 0)) > 1e-9 * paid.size_inr + 0.01
  - name: tax_of_a_year_is_that_of_its_rows
    query: >-
      with summed as (select portfolio, financial_year, sum(tax_inr) as tax_inr from book.tax group by portfolio, financial_year)
      select years.portfolio, years.financial_year, years.tax_inr, summed.tax_inr as of_rows_inr from book.tax_years as years
      left join summed on summed.portfolio = years.portfolio and summed.financial_year = years.financial_year
      where abs(years.tax_inr - coalesce(summed.tax_inr, 0)) > 1e-9 * years.tax_inr + 0.01
columns:
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  financial_year: {type: INTEGER, doc: "year in which it began: April to March"}
  stcg_inr: {type: DOUBLE, unit: inr, doc: "short-term gains, rights that were sold included"}
  stcl_inr: {type: DOUBLE, unit: inr, doc: "short-term losses, above zero"}
  ltcg_inr: {type: DOUBLE, unit: inr, doc: "long-term gains"}
  ltcl_inr: {type: DOUBLE, unit: inr, doc: "long-term losses, above zero"}
  untaxed_inr: {type: DOUBLE, unit: inr, doc: "long-term gains less losses while s.10(38) exempted them: neither taxed nor set off"}
  dividends_inr: {type: DOUBLE, unit: inr, doc: "dividends received"}
  set_off_inr: {type: DOUBLE, unit: inr, doc: "losses set off, those brought forward included"}
  exempt_inr: {type: DOUBLE, unit: inr, doc: "of the yearly exemption"}
  taxable_inr: {type: DOUBLE, unit: inr, doc: "what is taxed"}
  tax_inr: {type: DOUBLE, unit: inr, doc: "tax on it, surcharge and cess included"}
  paid_inr: {type: DOUBLE, unit: inr, doc: "of that, paid up to now, refunds deducted"}
  unpaid_inr: {type: DOUBLE, unit: inr, doc: "the rest: due later, or (below zero) to come back"}
  carried_stcl_inr: {type: DOUBLE, unit: inr, doc: "short-term losses that later years can use"}
  carried_ltcl_inr: {type: DOUBLE, unit: inr, doc: "long-term losses that later years can use"}
  settled_date: {type: DATE, doc: "first session from 31 July after the year on, when the return is due; 9999-12-31 before"}
---
A financial year of a portfolio: what came in, what the law sets off and exempts, the tax, and what of it is paid. The running year is as of the
last session.
*/
with assessments as (
    select
        portfolio,
        acquired_date as first_day,
        date,
        term,
        reason,
        gain_inr,
        tax_inr,
        max(date) over (partition by portfolio, acquired_date) as assessed_date,
    from book.events
    where kind = 'assessment' and acquired_date is not null
),

summed as (
    select
        portfolio,
        first_day,
        sum(gain_inr order by gain_inr) filter (where reason = 'gain' and term = 'STCG') as stcg_inr,
        -sum(gain_inr order by gain_inr) filter (where reason = 'loss' and term = 'STCG') as stcl_inr,
        sum(gain_inr order by gain_inr) filter (where reason = 'gain' and term = 'LTCG') as ltcg_inr,
        -sum(gain_inr order by gain_inr) filter (where reason = 'loss' and term = 'LTCG') as ltcl_inr,
        sum(gain_inr order by gain_inr) filter (where reason = 'untaxed') as untaxed_inr,
        sum(gain_inr order by gain_inr) filter (where reason = 'gain' and term = 'dividend') as dividends_inr,
        -sum(gain_inr order by gain_inr) filter (where reason = 'set_off') as set_off_inr,
        -sum(gain_inr order by gain_inr) filter (where reason = 'exempt') as exempt_inr,
        sum(gain_inr order by gain_inr) filter (where reason = 'taxable') as taxable_inr,
        sum(tax_inr order by tax_inr) filter (where reason = 'taxable') as tax_inr,
        -sum(gain_inr order by gain_inr) filter (where reason = 'carried' and term = 'STCG') as carried_stcl_inr,
        -sum(gain_inr order by gain_inr) filter (where reason = 'carried' and term = 'LTCG') as carried_ltcl_inr,
    from assessments
    where date = assessed_date
    group by portfolio, first_day
),

paid as (
    select
        portfolio,
        acquired_date as first_day,
        sum(tax_inr order by seq) as paid_inr,
    from book.events
    where kind = 'tax'
    group by portfolio, acquired_date
),

settled as (
    select
        summed.portfolio,
        summed.first_day,
        min(cash.date) as settled_date,
    from summed
    -- lint: allow time_join: a year is settled when its return is due
    inner join book.cash as cash on cash.portfolio = summed.portfolio and cash.date >= make_date(extract(year from summed.first_day) + 1, 7, 31)
    group by summed.portfolio, summed.first_day
)

select
    summed.portfolio,
    extract(year from summed.first_day)::integer as financial_year,
    coalesce(summed.stcg_inr, 0.0) as stcg_inr,
    coalesce(summed.stcl_inr, 0.0) as stcl_inr,
    coalesce(summed.ltcg_inr, 0.0) as ltcg_inr,
    coalesce(summed.ltcl_inr, 0.0) as ltcl_inr,
    coalesce(summed.untaxed_inr, 0.0) as untaxed_inr,
    coalesce(summed.dividends_inr, 0.0) as dividends_inr,
    coalesce(summed.set_off_inr, 0.0) as set_off_inr,
    coalesce(summed.exempt_inr, 0.0) as exempt_inr,
    coalesce(summed.taxable_inr, 0.0) as taxable_inr,
    coalesce(summed.tax_inr, 0.0) as tax_inr,
    coalesce(paid.paid_inr, 0.0) as paid_inr,
    coalesce(summed.tax_inr, 0.0) - coalesce(paid.paid_inr, 0.0) as unpaid_inr,
    coalesce(summed.carried_stcl_inr, 0.0) as carried_stcl_inr,
    coalesce(summed.carried_ltcl_inr, 0.0) as carried_ltcl_inr,
    coalesce(settled.settled_date, date '9999-12-31') as settled_date,
from summed
left join paid on paid.portfolio = summed.portfolio and paid.first_day = summed.first_day
left join settled on settled.portfolio = summed.portfolio and settled.first_day = summed.first_day
