/*---
grain: [security_id, known_from]
date: null
interval: [known_from, known_to]
references: {security_id: pit.securities.security_id}
knowable: "cast(timezone('Asia/Kolkata', known_to) + interval '4 hours' as date)"
order: [security_id, known_from]
checks:
  - "known_from < known_to"
  - "n_margins between 0 and 8"
  - "n_quarters between 1 and 8"
  - "revenue_ttm_inr is null or n_quarters >= 4"
  - "operating_margin_mean is null or operating_margin_mean between -1 and 1"
columns:
  security_id: {type: BIGINT, doc: "the security"}
  known_from: {type: TIMESTAMPTZ, doc: "when the filing was known that made the row"}
  known_to: {type: TIMESTAMPTZ, doc: "when the next filing of the company was known; 9999-12-31 while none was"}
  period_end: {type: DATE, doc: "last day of the newest quarter known"}
  consolidated: {type: BOOLEAN, doc: "true where the row is of the group's accounts, false where of the company's alone"}
  n_quarters: {type: BIGINT, unit: count, doc: "quarters known of the last eight"}
  n_margins: {type: BIGINT, unit: count, doc: "of these, quarters with an operating margin"}
  revenue_ttm_inr: {type: DOUBLE, unit: inr, doc: "revenue of the last four quarters; null unless all four are known"}
  operating_profit_ttm_inr: {type: DOUBLE, unit: inr, doc: "operating profit of the last four quarters; null unless all four are known"}
  net_profit_ttm_inr: {type: DOUBLE, unit: inr, doc: "net profit of the last four quarters; null unless all four are known"}
  revenue_growth_yoy: {type: DOUBLE, unit: ratio, doc: "revenue of the newest quarter over that of the same quarter a year before, less 1"}
  net_profit_growth_yoy: {type: DOUBLE, unit: ratio, doc: "the same of the net profit; null where there was none a year before"}
  operating_margin_change_yoy: {type: DOUBLE, unit: ratio, doc: "operating margin of the newest quarter less that of the same quarter a year before"}
  revenue_ttm_growth_yoy: {type: DOUBLE, unit: ratio, doc: "revenue of the last four quarters over that of the four before, less 1"}
  operating_margin_ttm: {type: DOUBLE, unit: ratio, doc: "operating profit over revenue, last four quarters"}
  net_margin_ttm: {type: DOUBLE, unit: ratio, doc: "net profit over revenue, last four quarters"}
  operating_margin_mean: {type: DOUBLE, unit: ratio, doc: "mean quarterly operating margin of the last eight quarters, each cut at -1 and 1; null below four"}
  operating_margin_sd: {type: DOUBLE, unit: ratio, doc: "standard deviation of the same"}
  operating_margin_trend: {type: DOUBLE, unit: ratio per year, doc: "slope of the same on time; null below six quarters"}
  equity_inr: {type: DOUBLE, unit: inr, doc: "equity on the newest balance sheet of the last four quarters"}
  assets_inr: {type: DOUBLE, unit: inr, doc: "total assets on it"}
  return_on_equity: {type: DOUBLE, unit: ratio, doc: "net profit of the last four quarters over equity; null where equity is not above zero"}
  return_on_assets: {type: DOUBLE, unit: ratio, doc: "net profit of the last four quarters over total assets"}
  cash_flow_period_end: {type: DATE, doc: "quarter of the newest cash flow that covers twelve months, of the last four quarters"}
  cfo_ttm_inr: {type: DOUBLE, unit: inr, doc: "cash flow from operations of the twelve months up to it"}
  accruals: {type: DOUBLE, unit: ratio, doc: "net profit less cash flow of those twelve months, over their revenue; null for banks"}
---
One row is what a company's results said from one filing to its next: trailing twelve months, comparisons with the year before, and level, spread and
trend of the operating margin. All of it from the versions in force then, year-ago quarters included; a restatement opens a new row.
Missing quarters and values that are not believed stay missing, and no sum is made without all of its parts. A row is of one set of accounts: the
group's, where its last four quarters are known and no more than one behind the company's own; a sum over both would show growth nobody had.
Filings count cash flow from the first day of the financial year (where they do not say which, April's), so twelve months are the year's figure, or
this year's so far plus last year's less last year's so far. Gross margin is not here: no filing carries the cost of goods.
Source: Novy-Marx (2013) for profitability; Sloan (1996) for accruals, here over revenue, as cash flow and balance sheet seldom come in one filing.
*/
with quarters as (
    select
        security_id,
        consolidated,
        known_from,
        known_to,
        period_end,
        year(period_end) * 12 + month(period_end) as month_no,
        coalesce(fiscal_quarter, if(month(period_end) = 3, 4, null)) as fiscal_quarter,
        revenue_inr,
        operating_profit_inr,
        net_profit_inr,
        equity_inr,
        assets_inr,
        cfo_inr,
        -- least and greatest pass over nulls
        if(revenue_inr > 0 and operating_profit_inr is not null, greatest(-1, least(1, operating_profit_inr / nullif(revenue_inr, 0))), null) as margin,
    from pit.fundamentals
    where period_end - period_start between 80 and 100
),

changes as (
    select security_id, known_from as moment
    from quarters
    union
    select security_id, known_to
    from quarters
    where known_to < timestamptz '9999-12-31 00:00:00+00'
),

moments as (
    select
        security_id,
        moment,
        lead(moment, 1, timestamptz '9999-12-31 00:00:00+00') over (partition by security_id order by moment) as next_moment,
    from changes
),

-- at every moment the quarters then in force; a period printed with two last days in one month is one quarter
in_force as (
    select
        moments.moment,
        moments.next_moment,
        quarters.* exclude (known_from, known_to),
    from moments
    join quarters
        on quarters.security_id = moments.security_id
        and quarters.known_from <= moments.moment
        and moments.moment < quarters.known_to
    qualify row_number() over (
        partition by moments.security_id, moments.moment, quarters.consolidated, quarters.month_no
        order by quarters.known_from desc, quarters.period_end desc
    ) = 1
),

-- three years back from the newest, a quarter of a year apart
state as (
    select
        *,
        max(month_no) over (partition by security_id, moment, consolidated) - month_no as age,
    from in_force
    qualify age < 36 and age % 3 = 0
),

summed as (
    select
        *,
        lag(month_no, 3) over earlier = month_no - 9 as is_whole,
        if(is_whole, revenue_inr + lag(revenue_inr, 1) over earlier + lag(revenue_inr, 2) over earlier + lag(revenue_inr, 3) over earlier, null)
            as revenue_ttm_inr,
        if(
            is_whole,
            operating_profit_inr + lag(operating_profit_inr, 1) over earlier + lag(operating_profit_inr, 2) over earlier
                + lag(operating_profit_inr, 3) over earlier,
            null
        ) as operating_profit_ttm_inr,
        if(
            is_whole,
            net_profit_inr + lag(net_profit_inr, 1) over earlier + lag(net_profit_inr, 2) over earlier + lag(net_profit_inr, 3) over earlier,
            null
        ) as net_profit_ttm_inr,
    from state
    window earlier as (partition by security_id, moment, consolidated order by month_no)
),

compared as (
    select
        summed.*,
        ago.revenue_inr as revenue_ago_inr,
        ago.net_profit_inr as net_profit_ago_inr,
        ago.margin as margin_ago,
        ago.revenue_ttm_inr as revenue_ttm_ago_inr,
        case
            when summed.fiscal_quarter = 4 then summed.cfo_inr
            when ago.fiscal_quarter = summed.fiscal_quarter then summed.cfo_inr + year_end.cfo_inr - ago.cfo_inr
        end as cfo_ttm_inr,
    from summed
    left join summed as ago
        on ago.security_id = summed.security_id
        and ago.moment = summed.moment
        and ago.consolidated = summed.consolidated
        and ago.month_no = summed.month_no - 12
    left join summed as year_end
        on year_end.security_id = summed.security_id
        and year_end.moment = summed.moment
        and year_end.consolidated = summed.consolidated
        and year_end.month_no = summed.month_no - 3 * summed.fiscal_quarter
        and year_end.fiscal_quarter = 4
),

histories as (
    select
        security_id,
        moment,
        consolidated,
        count(*) filter (age <= 21) as n_quarters,
        count(margin) filter (age <= 21) as n_margins,
        avg(margin order by month_no) filter (age <= 21) as margin_mean,
        stddev_samp(margin order by month_no) filter (age <= 21) as margin_sd,
        regr_slope(margin, month_no / 12.0 order by month_no) filter (age <= 21) as margin_slope,
        arg_max(equity_inr, month_no) filter (age <= 9 and equity_inr is not null) as equity_inr,
        arg_max(assets_inr, month_no) filter (age <= 9 and assets_inr is not null) as assets_inr,
        max(month_no) filter (age <= 9 and cfo_ttm_inr is not null) as cash_flow_month_no,
    from compared
    group by all
),

accounts as (
    select
        newest.security_id,
        newest.moment,
        newest.next_moment,
        newest.period_end,
        newest.consolidated,
        newest.revenue_ttm_inr + newest.net_profit_ttm_inr is not null
            and newest.month_no >= max(newest.month_no) over (partition by newest.security_id, newest.moment) - 3 as is_fit,
        histories.n_quarters,
        histories.n_margins,
        newest.revenue_ttm_inr,
        newest.operating_profit_ttm_inr,
        newest.net_profit_ttm_inr,
        newest.revenue_inr / nullif(greatest(newest.revenue_ago_inr, 0), 0) - 1 as revenue_growth_yoy,
        newest.net_profit_inr / nullif(greatest(newest.net_profit_ago_inr, 0), 0) - 1 as net_profit_growth_yoy,
        newest.margin - newest.margin_ago as operating_margin_change_yoy,
        newest.revenue_ttm_inr / nullif(greatest(newest.revenue_ttm_ago_inr, 0), 0) - 1 as revenue_ttm_growth_yoy,
        newest.operating_profit_ttm_inr / nullif(greatest(newest.revenue_ttm_inr, 0), 0) as operating_margin_ttm,
        newest.net_profit_ttm_inr / nullif(greatest(newest.revenue_ttm_inr, 0), 0) as net_margin_ttm,
        if(histories.n_margins >= 4, histories.margin_mean, null) as operating_margin_mean,
        if(histories.n_margins >= 4, histories.margin_sd, null) as operating_margin_sd,
        if(histories.n_margins >= 6, histories.margin_slope, null) as operating_margin_trend,
        histories.equity_inr,
        histories.assets_inr,
        newest.net_profit_ttm_inr / nullif(greatest(histories.equity_inr, 0), 0) as return_on_equity,
        newest.net_profit_ttm_inr / nullif(greatest(histories.assets_inr, 0), 0) as return_on_assets,
        cash.period_end as cash_flow_period_end,
        cash.cfo_ttm_inr,
        -- a bank's cash flow is its lending; it files no operating profit
        if(cash.operating_profit_ttm_inr is null, null, (cash.net_profit_ttm_inr - cash.cfo_ttm_inr) / nullif(greatest(cash.revenue_ttm_inr, 0), 0))
            as accruals,
    from compared as newest
    join histories using (security_id, moment, consolidated)
    left join compared as cash
        on cash.security_id = newest.security_id
        and cash.moment = newest.moment
        and cash.consolidated = newest.consolidated
        and cash.month_no = histories.cash_flow_month_no
    where newest.age = 0
)

select
    security_id,
    moment as known_from,
    next_moment as known_to,
    period_end,
    consolidated,
    n_quarters,
    n_margins,
    revenue_ttm_inr,
    operating_profit_ttm_inr,
    net_profit_ttm_inr,
    revenue_growth_yoy,
    net_profit_growth_yoy,
    operating_margin_change_yoy,
    revenue_ttm_growth_yoy,
    operating_margin_ttm,
    net_margin_ttm,
    operating_margin_mean,
    operating_margin_sd,
    operating_margin_trend,
    equity_inr,
    assets_inr,
    return_on_equity,
    return_on_assets,
    cash_flow_period_end,
    cfo_ttm_inr,
    accruals,
from accounts
qualify row_number() over (partition by security_id, moment order by is_fit desc, consolidated desc) = 1
