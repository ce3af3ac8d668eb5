/*---
grain: [account, window]
knowable: "coalesce(make_date(try_cast(\"window\" as integer) + 1, 1, 1), date '9999-12-31')"
checks:
  - sessions > 0
columns:
  account: {type: VARCHAR, doc: "the account at a broker"}
  portfolio: {type: VARCHAR, doc: "the paper portfolio it follows"}
  window: {type: VARCHAR, doc: "all, or a calendar year"}
  first_date: {type: DATE, doc: "first session both books had a return"}
  last_date: {type: DATE, doc: "last session"}
  sessions: {type: BIGINT, unit: sessions, doc: "sessions both had a return"}
  ret: {type: DOUBLE, unit: ratio, doc: "of the account's shares, compounded"}
  paper_ret: {type: DOUBLE, unit: ratio, doc: "of the paper portfolio's shares, compounded"}
  difference_ann: {type: DOUBLE, unit: ratio a year, doc: "mean of the daily differences, times sessions_per_year"}
  tracking_error_ann: {type: DOUBLE, unit: ratio a year, doc: "deviation (n − 1) of the daily differences, times the root of sessions_per_year"}
  correlation: {type: DOUBLE, unit: ratio, doc: "of the daily returns"}
  active_share: {type: DOUBLE, unit: ratio, doc: "mean over the sessions"}
  charges_inr: {type: DOUBLE, unit: inr, doc: "on contract notes that came in the window"}
---
How closely an account followed its paper portfolio: returns of the shares alone, on the sessions on which both had some.
*/
with spread as (
    select
        *,
        unnest(['all', year(date)::varchar]) as "window",
    from book.tracking
    where difference is not null
)

select
    account,
    any_value(portfolio) as portfolio,
    "window",
    min(date) as first_date,
    max(date) as last_date,
    count(*) as sessions,
    product(1.0 + ret order by date) - 1.0 as ret,
    product(1.0 + paper_ret order by date) - 1.0 as paper_ret,
    {{ sessions_per_year }} * {{ stable_avg('difference') }} as difference_ann,
    sqrt({{ sessions_per_year }}) * stddev_samp(difference order by date) as tracking_error_ann,
    corr(ret, paper_ret order by date) as correlation,
    {{ stable_avg('active_share') }} as active_share,
    {{ stable_sum('charges_inr', 2) }} as charges_inr,
from spread
group by account, "window"
