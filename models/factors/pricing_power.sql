/*---
kind: incremental
look_back: 0
meta: {sleeve: fundamental_quality, sign: 1}
checks: ["value between -2 and 1"]
columns: {value: {type: DOUBLE, unit: ratio, doc: "mean operating margin less its standard deviation"}}
---
Level and stability of the operating margin: the mean over the last eight quarters known that evening less its standard deviation, at least four of them,
none older than three years. Group accounts where they are filed. A firm that sets its prices keeps its margin through a cycle.
Only names with filings have a value; alpha.coverage says how many. Margins are cut at ±1: beyond lie errors of scale.
Source: Novy-Marx (2013), J. Financial Economics 108(1), with operating margin, as filings carry no cost of goods.
*/
with quarters as (
    select
        members.date,
        members.security_id,
        filings.period_end,
        greatest(-1, least(1, filings.operating_profit_inr / nullif(filings.revenue_inr, 0))) as margin,
    from universe.members as members
    join pit.fundamentals as filings
        on filings.security_id = members.security_id
        and filings.known_from <= timezone('Asia/Kolkata', members.date + cast({{ decision_time_ist }} as time))
        and timezone('Asia/Kolkata', members.date + cast({{ decision_time_ist }} as time)) < filings.known_to
    where members.active
        and filings.revenue_inr > 0
        and filings.operating_profit_inr is not null
        and filings.period_end - filings.period_start between 80 and 100
        and filings.period_end >= members.date - 1096
    qualify row_number() over (
        partition by members.date, members.security_id, filings.period_end order by filings.consolidated desc
    ) = 1
),

latest as (
    select *
    from quarters
    qualify row_number() over (partition by date, security_id order by period_end desc) <= 8
)

select
    date,
    security_id,
    avg(margin order by period_end) - stddev_samp(margin order by period_end) as value,
from latest
group by date, security_id
having count(*) >= 4
