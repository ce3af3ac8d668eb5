/*---
grain: [security_id, period_end, consolidated, known_from]
interval: [known_from, known_to]
references: {security_id: pit.securities.security_id}
knowable: "cast(timezone('Asia/Kolkata', known_to) + interval '4 hours' as date)"
checks:
  - "known_from < known_to"
  - {rows: "period_end <= cast(timezone('Asia/Kolkata', known_from) as date)", name: reported_after_its_period}
  - "paid_up_capital_inr is null or paid_up_capital_inr > 0"
  - name: no_fault_is_left
    query: >-
      select faults.item
      from pit.fundamental_faults as faults
      join pit.fundamentals as kept using (security_id, period_end, consolidated, known_from)
      where (faults.item = 'revenue_inr' and kept.revenue_inr is not null)
          or (faults.item = 'operating_profit_inr' and kept.operating_profit_inr is not null)
          or (faults.item = 'net_profit_inr' and kept.net_profit_inr is not null)
columns:
  security_id: {type: BIGINT, doc: "the security"}
  ticker: {type: VARCHAR, doc: "symbol in the filing"}
  period_start: {type: DATE, doc: "first day of the period"}
  period_end: {type: DATE, doc: "last day of the period"}
  consolidated: {type: BOOLEAN, doc: "true for the group, false for the company alone"}
  known_from: {type: TIMESTAMPTZ, doc: "when the market could read it"}
  known_to: {type: TIMESTAMPTZ, doc: "when a restatement replaced it; 9999-12-31 while none has"}
  fiscal_quarter: {type: INTEGER, doc: "quarter of the company's financial year, 1 to 4; null where not said"}
  revenue_inr: {type: DOUBLE, unit: inr, doc: "revenue from operations; a bank's interest earned"}
  operating_profit_inr: {type: DOUBLE, unit: inr, doc: "profit before tax and finance costs, without other income"}
  other_income_inr: {type: DOUBLE, unit: inr, doc: "income outside operations"}
  interest_inr: {type: DOUBLE, unit: inr, doc: "finance costs"}
  tax_inr: {type: DOUBLE, unit: inr, doc: "tax expense"}
  net_profit_inr: {type: DOUBLE, unit: inr, doc: "profit after tax"}
  eps_inr: {type: DOUBLE, unit: inr per share, doc: "basic earnings per share"}
  paid_up_capital_inr: {type: DOUBLE, unit: inr, doc: "paid-up equity capital"}
  face_value_inr: {type: DOUBLE, unit: inr per share, doc: "face value of a share"}
  equity_inr: {type: DOUBLE, unit: inr, doc: "shareholders' equity"}
  assets_inr: {type: DOUBLE, unit: inr, doc: "total assets"}
  cfo_inr: {type: DOUBLE, unit: inr, doc: "cash flow from operations since the financial year began"}
---
One row is one version of one period's results, valid for decisions in `[known_from, known_to)`: a filing is used by the first decision after its
broadcast and a restatement never before its own. Values that cannot be true (`pit.fundamental_faults`) are null; a filing of which nothing is left
has no row, and still ends the version before it. An interval may be closed by a restatement, so a row is final only at `known_to`.
*/
{% set items = ['revenue_inr', 'operating_profit_inr', 'other_income_inr', 'interest_inr', 'tax_inr', 'net_profit_inr', 'eps_inr',
    'paid_up_capital_inr', 'face_value_inr', 'equity_inr', 'assets_inr', 'cfo_inr'] -%}
with faults as (
    select
        security_id,
        period_end,
        consolidated,
        known_from,
        list(item) as items,
    from pit.fundamental_faults
    group by all
),

kept as (
    select
        filings.security_id,
        filings.ticker,
        filings.period_start,
        filings.period_end,
        filings.consolidated,
        filings.known_from,
        filings.known_to,
        filings.fiscal_quarter,
        {% for item in items -%}
        if(coalesce(list_contains(faults.items, {{ item }}), false), null, filings.{{ item | ident }}) as {{ item | ident }},
        {% endfor -%}
        faults.items is not null as is_doubted,
    from pit.filings as filings
    left join faults using (security_id, period_end, consolidated, known_from)
)

select
    security_id,
    ticker,
    period_start,
    period_end,
    consolidated,
    known_from,
    known_to,
    fiscal_quarter,
    {% for item in items -%}
    {{ item | ident }},
    {% endfor %}
from kept
where not is_doubted or coalesce({% for item in items %}{{ item | ident }}{% if not loop.last %}, {% endif %}{% endfor %}) is not null
