/*---
kind: incremental
look_back: 0
meta: {sleeve: fundamental_quality, sign: 1, basis: filings, proxy: quality_inv_downside_vol}
checks: ["value between -3 and 1"]
columns: {value: {type: DOUBLE, unit: ratio, doc: "mean operating margin less its standard deviation"}}
---
Level and stability of the operating margin: the mean of the last eight quarters known that evening less its standard deviation, at least four of them.
A firm that sets its prices keeps its margin through a cycle. Names without filings have no value here; in signals.panel calm returns stand in for them.
Source: Novy-Marx (2013), J. Financial Economics 108(1), with operating margin, as filings carry no cost of goods.
*/
select
    members.date,
    members.security_id,
    filings.operating_margin_mean - filings.operating_margin_sd as value,
from universe.members as members
{{ filings_then() }}
where members.active and filings.operating_margin_mean - filings.operating_margin_sd is not null
