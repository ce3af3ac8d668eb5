/*---
grain: [measure, group_name]
checks:
  - "n_with <= n_all"
columns:
  measure: {type: VARCHAR, doc: "what is counted"}
  group_name: {type: VARCHAR, doc: "by what: a year, or the later fate of the names"}
  n_all: {type: BIGINT, unit: count, doc: "how many there are"}
  n_with: {type: BIGINT, unit: count, doc: "how many have it"}
  coverage: {type: DOUBLE, unit: ratio, doc: "n_with / n_all"}
---
One row counts how much of something is known: prices with an ISIN and with a delivery quantity by year, accepted actions that found their security,
and sectors by later fate, of all shares and of the 500 most traded of each year. The last ones show what an undated list does: names that died are
missing from it. It looks at the whole history on
purpose, describes the lake of today and feeds no model.
*/
with newest as (
    select max(session_no) as session_no from pit.sessions
),

lives as (
    select
        security_id,
        max(session_no) as last_no,
    from pit.prices
    where kind = 'equity'
    group by security_id
),

most_traded as (
    select year(date) as year, security_id
    from pit.prices
    where kind = 'equity'
    group by year(date), security_id
    qualify row_number() over (partition by year(date) order by {{ stable_sum('turnover_inr', 2) }} desc, security_id) <= 500
),

counted as (
    select
        'price has an ISIN' as measure,
        year(date)::varchar as group_name,
        count(*) as n_all,
        count(isin) as n_with,
    from pit.prices
    group by year(date)
    union all
    select 'price has a delivery quantity', year(date)::varchar, count(*), count(deliverable_qty)
    from pit.prices
    group by year(date)
    union all
    select
        'action on file found its security',
        actions.status,
        count(*),
        count(*) filter (where exists (
            select 1 from pit.securities as securities where securities.ticker = actions.symbol and securities.valid_from <= actions.ex_date
        )),
    from raw.corporate_actions as actions
    group by actions.status
    union all
    select
        'share has a sector',
        if(lives.last_no >= newest.session_no - {{ delist_after_sessions }}, 'alive', 'dead'),
        count(*),
        count(*) filter (where lives.security_id in (select security_id from pit.sectors)),
    from lives
    cross join newest
    group by all
    union all
    select
        'share has a sector, of the 500 most traded of ' || most_traded.year,
        if(lives.last_no >= newest.session_no - {{ delist_after_sessions }}, 'alive', 'dead'),
        count(*),
        count(*) filter (where lives.security_id in (select security_id from pit.sectors)),
    from most_traded
    join lives using (security_id)
    cross join newest
    group by all
)

select
    measure,
    group_name,
    n_all,
    n_with,
    n_with / nullif(n_all, 0) as coverage,
from counted
