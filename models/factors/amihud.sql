/*---
kind: incremental
look_back: 0
meta: {sleeve: liquidity, sign: 1}
checks: ["value >= 0"]
columns: {value: {type: DOUBLE, unit: ratio per crore, doc: "mean of |return| over value traded"}}
---
Price move per crore of rupees traded, mean over 60 prints: the harder to trade, the higher the return asked for it.
Source: Amihud (2002), J. Financial Markets 5(1).
*/
select
    members.date,
    members.security_id,
    daily.amihud_60 as value,
from universe.members as members
join features.daily as daily on daily.security_id = members.security_id and daily.date = members.date
where members.active and daily.amihud_60 is not null
