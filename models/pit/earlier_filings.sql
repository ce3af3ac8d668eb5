/*---
grain: [security_id, period_end, consolidated, known_from]
interval: [known_from, known_to]
knowable: "cast(timezone('Asia/Kolkata', known_to) + interval '4 hours' as date)"
columns:
  security_id: {type: BIGINT, doc: "the security"}
  period_end: {type: DATE, doc: "last day of the period of the filing that is judged"}
  consolidated: {type: BOOLEAN, doc: "whether that filing is the group's"}
  known_from: {type: TIMESTAMPTZ, doc: "when that filing was known; nothing here became known later, nor then"}
  known_to: {type: TIMESTAMPTZ, doc: "when that filing was replaced"}
  n_filings: {type: BIGINT, unit: count, doc: "earlier filings of the same accounts (group or alone)"}
  capital_usual: {type: DOUBLE, unit: inr, doc: "median paid-up capital, of group and alone together"}
  face_value_usual: {type: DOUBLE, unit: inr per share, doc: "median face value, of those a share can have"}
  shares_usual: {type: DOUBLE, unit: shares, doc: "median paid-up capital over face value"}
  revenue_usual: {type: DOUBLE, unit: inr, doc: "median revenue of the same accounts"}
  operating_profit_usual: {type: DOUBLE, unit: inr, doc: "median size (without sign) of the operating profit"}
  other_income_usual: {type: DOUBLE, unit: inr, doc: "median size of the other income"}
  interest_usual: {type: DOUBLE, unit: inr, doc: "median size of the finance costs"}
  tax_usual: {type: DOUBLE, unit: inr, doc: "median size of the tax"}
  net_profit_usual: {type: DOUBLE, unit: inr, doc: "median size of the net profit"}
  eps_usual: {type: DOUBLE, unit: inr per share, doc: "median size of the earnings per share"}
  equity_usual: {type: DOUBLE, unit: inr, doc: "median size of the equity"}
  assets_usual: {type: DOUBLE, unit: inr, doc: "median total assets"}
  cfo_usual: {type: DOUBLE, unit: inr, doc: "median size of the operating cash flow"}
---
One row is what a filing is measured by: medians of what the company had printed before it, of periods from two years before to one year after its own.
A median because one wrong filing among them must not speak for all; only what was known before the filing, so that no later quarter changes a verdict.
*/
select
    filings.security_id,
    filings.period_end,
    filings.consolidated,
    filings.known_from,
    filings.known_to,
    count(*) filter (earlier.consolidated = filings.consolidated) as n_filings,
    median(earlier.paid_up_capital_inr) filter (earlier.paid_up_capital_inr > 0) as capital_usual,
    median(earlier.face_value_inr) filter (earlier.face_value_inr in {{ face_values() | sql }}) as face_value_usual,
    median(earlier.paid_up_capital_inr / nullif(earlier.face_value_inr, 0))
        filter (earlier.paid_up_capital_inr > 0 and earlier.face_value_inr in {{ face_values() | sql }}) as shares_usual,
    {% for item in ['revenue', 'operating_profit', 'other_income', 'interest', 'tax', 'net_profit', 'eps', 'equity', 'assets', 'cfo'] -%}
    median(abs(earlier.{{ (item ~ '_inr') | ident }})) filter (earlier.consolidated = filings.consolidated) as {{ (item ~ '_usual') | ident }},
    {% endfor %}
from pit.filings as filings
join pit.filings as earlier
    on earlier.security_id = filings.security_id
    and earlier.known_from < filings.known_from
    and earlier.period_end between filings.period_end - 740 and filings.period_end + 370
group by all
