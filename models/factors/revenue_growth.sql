/*---
kind: incremental
look_back: 0
meta: {sleeve: fundamental_growth, sign: 1, basis: filings}
columns: {value: {type: DOUBLE, unit: ratio, doc: "revenue over that of the same quarter a year before, less 1"}}
---
Revenue of the newest quarter known that evening against the same quarter a year before, both as they stood then.
No price says this, so nothing stands in for names without filings.
Source: Lakonishok, Shleifer & Vishny (1994) for sales growth (who found that much of it is paid for: see what alpha.ic says before trading on it).
*/
select
    members.date,
    members.security_id,
    filings.revenue_growth_yoy as value,
from universe.members as members
{{ filings_then() }}
where members.active and filings.revenue_growth_yoy is not null
