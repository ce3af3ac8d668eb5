/*---
kind: incremental
look_back: 0
meta: {sleeve: fundamental_quality, sign: -1, basis: filings}
columns: {value: {type: DOUBLE, unit: ratio, doc: "net profit less cash flow from operations, over revenue, twelve months"}}
---
Profit that is not cash: net profit less cash flow from operations over twelve months, per rupee of revenue, where a cash flow of the last four quarters is
known that evening. Less is better. Banks have none: their cash flow is their lending.
Source: Sloan (1996), The Accounting Review 71(3), scaled by revenue.
*/
select
    members.date,
    members.security_id,
    filings.accruals as value,
from universe.members as members
{{ filings_then() }}
where members.active and filings.accruals is not null
