/*---
kind: incremental
look_back: 0
meta: {sleeve: quality, sign: 1}
checks: ["value > 0"]
columns: {value: {type: DOUBLE, unit: 1 / ratio per session, doc: "one over the downside deviation of a year"}}
---
One over the downside deviation of a year's returns: calm earners against lottery tickets, from prices alone.
Source: Sortino & van der Meer (1991) for the deviation (mean over all returns); Asness, Frazzini & Pedersen (2019) for safety as quality.
*/
select
    members.date,
    members.security_id,
    1 / nullif(daily.downside_vol_252, 0) as value,
from universe.members as members
join features.daily as daily on daily.security_id = members.security_id and daily.date = members.date
where members.active and 1 / nullif(daily.downside_vol_252, 0) is not null
