/*---
kind: incremental
look_back: 0
meta: {sleeve: low_risk, sign: 1}
checks: ["value < 0"]
columns: {value: {type: DOUBLE, unit: ratio per session, doc: "minus the standard deviation of a year's returns"}}
---
Minus the standard deviation of a year's returns: less risk is more.
Source: Ang, Hodrick, Xing & Zhang (2006), J. Finance 61(1); Blitz & van Vliet (2007).
*/
select
    members.date,
    members.security_id,
    -nullif(daily.vol_252, 0) as value,
from universe.members as members
join features.daily as daily on daily.security_id = members.security_id and daily.date = members.date
where members.active and -nullif(daily.vol_252, 0) is not null
