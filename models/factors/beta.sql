/*---
kind: incremental
look_back: 0
meta: {sleeve: low_risk, sign: -1}
checks: [{rows: "abs(value) < 100", level: warn, name: far_out}]
columns: {value: {type: DOUBLE, unit: ratio, doc: "slope of the return on the market's"}}
---
Slope of a year's returns on the market's; less is better.
Source: Frazzini & Pedersen (2014), J. Financial Economics 111(1).
*/
select
    members.date,
    members.security_id,
    daily.beta_252 as value,
from universe.members as members
join features.daily as daily on daily.security_id = members.security_id and daily.date = members.date
where members.active and daily.beta_252 is not null
