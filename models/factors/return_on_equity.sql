/*---
kind: incremental
look_back: 0
meta: {sleeve: fundamental_quality, sign: 1, basis: filings}
columns: {value: {type: DOUBLE, unit: ratio, doc: "net profit of the last four quarters over equity"}}
---
Net profit of the last four quarters over the equity of the newest balance sheet among them, as known that evening. Few filings carry a balance sheet, and
where equity is not above zero there is no value; alpha.coverage counts.
Source: Haugen & Baker (1996); Hou, Xue & Zhang (2015).
*/
select
    members.date,
    members.security_id,
    filings.return_on_equity as value,
from universe.members as members
{{ filings_then() }}
where members.active and filings.return_on_equity is not null
