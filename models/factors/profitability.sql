/*---
kind: incremental
look_back: 0
meta: {sleeve: fundamental_quality, sign: 1, basis: filings, proxy: quality_inv_downside_vol}
columns: {value: {type: DOUBLE, unit: ratio, doc: "net profit over revenue, last four quarters"}}
---
What is left of a rupee of sales: net profit over revenue of the last four quarters known that evening. One measure for all filers, as balance sheets come
with few filings (factors.return_on_equity has those); z-scores compare it within sectors. In signals.panel calm returns stand in for names without filings.
Source: Novy-Marx (2013); Asness, Frazzini & Pedersen (2019) for margins and for calm returns as two sides of quality.
*/
select
    members.date,
    members.security_id,
    filings.net_margin_ttm as value,
from universe.members as members
{{ filings_then() }}
where members.active and filings.net_margin_ttm is not null
