/*---
grain: [portfolio, financial_year, term, rate]
order: [portfolio, financial_year, term, rate]
knowable: final_date
checks:
  - "term in ('STCG', 'LTCG', 'dividend')"
  - tax_inr >= 0
  - taxable_inr >= 0 and set_off_inr >= 0 and exempt_inr >= 0
  - name: every_rupee_is_set_off_exempt_or_taxed
    query: >-
      select * from book.tax where abs(taxable_inr - greatest(gain_inr - set_off_inr - exempt_inr, 0)) > 1e-9 * greatest(gain_inr, 1)
  - "exempt_inr = 0 or term = 'LTCG'"
columns:
  portfolio: {type: VARCHAR, doc: "config.portfolios"}
  financial_year: {type: INTEGER, doc: "year in which it began: April to March"}
  term: {type: VARCHAR, doc: "STCG, LTCG or dividend"}
  rate: {type: DOUBLE, unit: ratio, doc: "of the day of the sale or dividend; one year has two where the law changed in it, and rights are taxed at the slab"}
  gain_inr: {type: DOUBLE, unit: inr, doc: "gains at that rate, losses not deducted; or dividends"}
  set_off_inr: {type: DOUBLE, unit: inr, doc: "losses of the year and of eight years before set off against them"}
  exempt_inr: {type: DOUBLE, unit: inr, doc: "of the yearly exemption of long-term gains"}
  taxable_inr: {type: DOUBLE, unit: inr, doc: "the rest"}
  tax_inr: {type: DOUBLE, unit: inr, doc: "rate × that, surcharge and cess included"}
  assessed_date: {type: DATE, doc: "session of the newest assessment of the year"}
  final_date: {type: DATE, doc: "first session after the year, with which it is final; 9999-12-31 while it runs"}
---
What each financial year's gains and dividends are taxed: one row a term and rate, as last assessed. The year as a whole, with losses and payments, is in
book.tax_years. Source: Income-tax Act s.70, 74, 111A, 112A; docs/explanation/taxes.md.
*/
with assessments as (
    select
        portfolio,
        acquired_date as first_day,
        extract(year from acquired_date)::integer as financial_year,
        date,
        term,
        level as rate,
        reason,
        gain_inr,
        tax_inr,
        max(date) over (partition by portfolio, acquired_date) as assessed_date,
    from book.events
    where kind = 'assessment' and acquired_date is not null
),

-- the running year of a portfolio is that of its last session
ends as (
    select
        assessments.portfolio,
        assessments.first_day,
        min(cash.date) as final_date,
    from (select distinct portfolio, first_day from assessments) as assessments
    -- lint: allow time_join: a year is final with the first session after it
    inner join book.cash as cash on cash.portfolio = assessments.portfolio and cash.date >= assessments.first_day + interval 1 year
    group by assessments.portfolio, assessments.first_day
)

select
    assessments.portfolio,
    assessments.financial_year,
    assessments.term,
    assessments.rate,
    coalesce(max(assessments.gain_inr) filter (where assessments.reason = 'gain'), 0.0) as gain_inr,
    coalesce(-max(assessments.gain_inr) filter (where assessments.reason = 'set_off'), 0.0) as set_off_inr,
    coalesce(-max(assessments.gain_inr) filter (where assessments.reason = 'exempt'), 0.0) as exempt_inr,
    coalesce(max(assessments.gain_inr) filter (where assessments.reason = 'taxable'), 0.0) as taxable_inr,
    coalesce(max(assessments.tax_inr) filter (where assessments.reason = 'taxable'), 0.0) as tax_inr,
    assessments.assessed_date,
    coalesce(ends.final_date, date '9999-12-31') as final_date,
from assessments
left join ends on ends.portfolio = assessments.portfolio and ends.first_day = assessments.first_day
where assessments.date = assessments.assessed_date and assessments.reason in ('gain', 'set_off', 'exempt', 'taxable')
group by
    assessments.portfolio,
    assessments.financial_year,
    assessments.term,
    assessments.rate,
    assessments.assessed_date,
    ends.final_date
