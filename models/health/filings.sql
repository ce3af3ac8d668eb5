/*---
grain: [item]
knowable: "date '9999-12-31'"
checks:
  - "n_doubted <= n_printed"
  - "n_used = n_printed - n_doubted"
columns:
  item: {type: VARCHAR, doc: "column of pit.filings"}
  n_printed: {type: BIGINT, unit: count, doc: "versions of filings that print it"}
  n_doubted: {type: BIGINT, unit: count, doc: "of these, values that cannot be true (pit.fundamental_faults)"}
  n_used: {type: BIGINT, unit: count, doc: "values in pit.fundamentals"}
  n_companies: {type: BIGINT, unit: count, doc: "companies with such a value that is doubted"}
  share_printed: {type: DOUBLE, unit: ratio, doc: "n_printed over all versions of filings: how often filings carry it at all"}
  last_doubted_at: {type: TIMESTAMPTZ, doc: "when the newest doubted value was known"}
---
One row counts how often filings carry an item and how often what they print cannot be true. It describes the lake of today and feeds no model;
the saved query filing_faults lists the values. How many members have filings is in alpha.coverage.
*/
{% set items = ['revenue_inr', 'operating_profit_inr', 'other_income_inr', 'interest_inr', 'tax_inr', 'net_profit_inr', 'eps_inr',
    'paid_up_capital_inr', 'face_value_inr', 'equity_inr', 'assets_inr', 'cfo_inr'] -%}
with printed as (
    {% for item in items -%}
    select {{ item }} as item, count({{ item | ident }}) as n_printed, count(*) as n_filings
    from pit.filings
    {% if not loop.last %}union all
    {% endif %}{% endfor %}
),

used as (
    {% for item in items -%}
    select {{ item }} as item, count({{ item | ident }}) as n_used
    from pit.fundamentals
    {% if not loop.last %}union all
    {% endif %}{% endfor %}
),

doubted as (
    select
        item,
        count(*) as n_doubted,
        count(distinct security_id) as n_companies,
        max(known_from) as last_doubted_at,
    from pit.fundamental_faults
    group by item
)

select
    printed.item,
    printed.n_printed,
    coalesce(doubted.n_doubted, 0) as n_doubted,
    used.n_used,
    coalesce(doubted.n_companies, 0) as n_companies,
    printed.n_printed / nullif(printed.n_filings, 0) as share_printed,
    doubted.last_doubted_at,
from printed
join used using (item)
left join doubted using (item)
