/*---
interval: [known_from, known_to]
grain: [account, date, security_id, known_from]
references: {security_id: pit.securities.security_id}
knowable: "cast(timezone('Asia/Kolkata', known_to) as date)"
checks:
  - "known_from < known_to"
  - "qty >= 0"
columns:
  account: {type: VARCHAR, doc: "the account at a broker"}
  date: {type: DATE, doc: "day of the statement: held at its end"}
  security_id: {type: BIGINT, doc: "the security its symbol or ISIN meant that day"}
  ticker: {type: VARCHAR, doc: "as the statement writes it"}
  qty: {type: BIGINT, unit: shares, doc: "shares held, by the statement"}
  average_inr: {type: DOUBLE, unit: inr, doc: "average cost of a share, by the statement; null where it does not say"}
  known_from: {type: TIMESTAMPTZ, doc: "when the statement said so, and the symbol was borne by a security"}
  known_to: {type: TIMESTAMPTZ, doc: "when it was corrected or taken back; 9999-12-31 while it stands"}
---
One row is one version of a line of a statement of holdings. Account data: no paper portfolio reads it. Lines in symbols no security bears are in
health.account_faults.
*/
with told as (
    {{ account_versions('raw.holdings', 'account, date, symbol', 'isin, qty, average_inr') }}
),

{{ securities_meant('told', 'account, date, symbol', 'null') }}

-- two lines of one security: one is of a symbol it no longer bears
select
    account,
    date,
    security_id,
    max(symbol) as ticker,
    sum(qty)::bigint as qty,
    arg_max(average_inr, qty) as average_inr,
    known_from,
    min(known_to) as known_to,
from meant
group by account, date, security_id, known_from
