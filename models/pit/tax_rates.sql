/*---
interval: [known_from, known_to]
grain: [item, valid_from, known_from]
order: [item, valid_from, known_from]
knowable: "cast(timezone('Asia/Kolkata', known_to) as date)"
checks:
  - "rate is null or rate between 0 and 1"
  - "(rate is not null) = (treatment = 'rate')"
  - "limit_inr >= 0"
  - "valid_from < valid_to"
  - "known_from < known_to"
  - name: one_rate_a_day
    query: >-
      select a.item from pit.tax_rates as a join pit.tax_rates as b on a.item = b.item and a.valid_from < b.valid_from
      and b.valid_from < a.valid_to and a.known_from < b.known_to and b.known_from < a.known_to
columns:
  item: {type: VARCHAR, doc: "STCG_111A, LTCG_112A, LTCG_EQ, CESS_HEALTH_EDU, CESS_EDU, SURCHARGE_CAP_CG, DIVIDEND_HOLDER, BUYBACK_HOLDER, or SURCHARGE_ and the income it begins above"}
  valid_from: {type: DATE, doc: "first day of a transfer (dividend, buyback) it applies to"}
  valid_to: {type: DATE, doc: "first day it no longer applies to; 9999-12-31 while no end was known"}
  known_from: {type: TIMESTAMPTZ, doc: "announcement of the rate, or of its end; where none is on file, the morning of the day it took effect"}
  known_to: {type: TIMESTAMPTZ, doc: "when a later announcement changed the row; 9999-12-31 while none has"}
  treatment: {type: VARCHAR, doc: "rate: `rate` applies; slab: the holder's income-tax slab; capital_gains: as a sale"}
  rate: {type: DOUBLE, unit: ratio, doc: "null where the treatment is no rate"}
  limit_inr: {type: DOUBLE, unit: inr, doc: "gains of a financial year that are exempt, all buckets of the item together; of a surcharge the income of a year above which it applies"}
  applies_to: {type: VARCHAR, doc: "what is taxed, and which date decides"}
  status: {type: VARCHAR, doc: "verified or unverified"}
  source: {type: VARCHAR, doc: "where it was read"}
---
One row is one version of a dated tax rate: what was known of it in `[known_from, known_to)`, valid for days in `[valid_from, valid_to)`. The two
differ where a law reaches back: the budget of 23 July 2024 raised the exemption of long-term gains to ₹ 1.25 lakh for the whole financial year
from 1 April, and until that day everybody reckoned with ₹ 1 lakh. Source: config/tax_rates.csv.
*/
with {{ rate_versions('config.tax_rates', 'item', 'from_date', 'to_date') }}

select
    item,
    from_date as valid_from,
    if(last_day = date '9999-12-31', last_day, last_day + 1) as valid_to,
    known_from,
    known_to,
    treatment,
    rate,
    limit_inr,
    applies_to,
    status,
    source,
from rate_versions
