/*---
kind: incremental
look_back: 0
meta: {sleeve: fundamental_growth, sign: 1, basis: filings}
columns: {value: {type: DOUBLE, unit: ratio per year, doc: "slope of the operating margin on time, eight quarters"}}
---
Trend of the operating margin: the slope over the last eight quarters known that evening, at least six of them. Prices rise faster than costs, or not.
No price says this, so nothing stands in for names without filings.
Source: Novy-Marx (2013) for margins as quality; Piotroski (2000), whose score counts a rising margin.
*/
select
    members.date,
    members.security_id,
    filings.operating_margin_trend as value,
from universe.members as members
{{ filings_then() }}
where members.active and filings.operating_margin_trend is not null
