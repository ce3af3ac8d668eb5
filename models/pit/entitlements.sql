/*---
grain: [security_id, from_date]
interval: [from_date]
knowable: "cast(timezone('Asia/Kolkata', known_at) as date)"
versions: pit.vintage_entitlements
order: [security_id, from_date]
references: {security_id: pit.first_prints.security_id}
checks:
  - "shares > 0"
  - "shares_since_first > 0"
columns:
  security_id: {type: BIGINT, doc: "the security"}
  from_date: {type: DATE, doc: "first print on or after the ex-date"}
  shares: {type: DOUBLE, unit: shares, doc: "what one share held the session before has become on from_date, its cash turned into shares at that close"}
  shares_since_first: {type: DOUBLE, unit: shares, doc: "what one share held since the first print has become"}
  known_at: {type: TIMESTAMPTZ, doc: "when it was known as it stands"}
---
One row is what the accepted corporate actions that count from one print made of a share. It holds until the next row of the security. An action
counts on the first print on or after its ex-date, and not at all on a security's first print.
*/
with actions as (
    select security_id as track, *
    from pit.corporate_actions
),

prints as not materialized (
    select security_id as track, date, close, known_at
    from pit.prices
),

{{ growth_of_shares('prints', 'actions') }},

relearned as (
    select
        shares.security_id,
        shares.from_date,
        max(vintages.known_at) as known_at,
    from shares
    -- lint: allow time_join: every row since then is known anew; few securities have vintages
    join pit.vintages as vintages on vintages.security_id = shares.security_id and vintages.since_date <= shares.from_date
    group by all
)

select
    shares.security_id,
    shares.from_date,
    shares.shares,
    shares.shares_since_first,
    greatest(shares.known_at, relearned.known_at) as known_at,
from shares
left join relearned using (security_id, from_date)
