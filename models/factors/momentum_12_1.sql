/*---
kind: incremental
look_back: 0
meta: {sleeve: momentum, sign: 1}
checks: ["value > -1"]
columns: {value: {type: DOUBLE, unit: ratio, doc: "return over twelve months less the last one"}}
---
Twelve-month return less the last month, which reverses. From the forward total-return index, so splits and bonuses are no moves.
Source: Jegadeesh & Titman (1993), J. Finance 48(1).
*/
select
    members.date,
    members.security_id,
    daily.momentum_12_1 as value,
from universe.members as members
join features.daily as daily on daily.security_id = members.security_id and daily.date = members.date
where members.active and daily.momentum_12_1 is not null
