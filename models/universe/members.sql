/*---
kind: incremental
look_back: 0
grain: [date, security_id]
references: {date: universe.rebalances.date, security_id: pit.securities.security_id}
order: [date, security_id]
checks:
  - "active = (reason is null)"
columns:
  date: {type: DATE, doc: "decision date"}
  security_id: {type: BIGINT, doc: "the security"}
  ticker: {type: VARCHAR, doc: "symbol that day"}
  active: {type: BOOLEAN, doc: "may be bought"}
  sector: {type: VARCHAR, doc: "sector as known that evening; null where no list had one"}
  adv_inr: {type: DOUBLE, unit: inr, doc: "median value traded"}
  free_float: {type: DOUBLE, unit: ratio, doc: "free float; null while no dataset brings it"}
  reason: {type: VARCHAR, doc: "why it is not active: the first of kind, series, suspended, history, price, liquidity"}
---
One row is a listed security on a decision date, and whether it may be bought. Known that evening. Names that later died are here until they die:
a universe of survivors would gain what it never could have known. Only shares count; funds, entitlements, partly-paid lines, trusts and SME lines
are listed with their kind as the reason.
*/
with judged as (
    select
        liquidity.date,
        liquidity.security_id,
        liquidity.ticker,
        liquidity.adv_inr,
        case
            when liquidity.kind != 'equity' then 'kind: ' || liquidity.kind
            when liquidity.series not in {{ universe_series }} then 'series: ' || liquidity.series
            when liquidity.sessions_since_print > 0 then 'suspended'
            when not liquidity.has_history then 'history'
            when liquidity.close < {{ min_price_inr }} then 'price'
            when coalesce(liquidity.adv_inr, 0) < {{ min_adv_inr }} then 'liquidity'
        end as reason,
    from universe.liquidity as liquidity
)

select
    judged.date,
    judged.security_id,
    judged.ticker,
    judged.reason is null as active,
    sectors.sector,
    judged.adv_inr,
    null::double as free_float,
    judged.reason,
from judged
left join pit.sectors as sectors
    on sectors.security_id = judged.security_id
    and sectors.valid_from <= judged.date
    and judged.date < sectors.valid_to
