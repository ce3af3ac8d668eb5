/*---
kind: incremental
look_back: 0
meta: {sleeve: reversal, sign: -1}
checks: ["value > -1"]
columns: {value: {type: DOUBLE, unit: ratio, doc: "return of the last 21 prints"}}
---
Return over the last month; losers rebound, so less is better.
Source: Jegadeesh (1990), J. Finance 45(3).
*/
select
    members.date,
    members.security_id,
    daily.reversal_1m as value,
from universe.members as members
join features.daily as daily on daily.security_id = members.security_id and daily.date = members.date
where members.active and daily.reversal_1m is not null
