/*---
grain: [track, from_date]
interval: [from_date]
knowable: "date '9999-12-31'"
order: [track, from_date]
columns:
  track: {type: BIGINT, doc: "pit.vintages"}
  security_id: {type: BIGINT, doc: "the security"}
  from_date: {type: DATE, doc: "first print on or after the ex-date"}
  shares: {type: DOUBLE, unit: shares, doc: "what one share held the session before has become on from_date"}
  shares_since_first: {type: DOUBLE, unit: shares, doc: "what one share held since the first print has become"}
  known_at: {type: TIMESTAMPTZ, doc: "when the row was known as it stands here"}
  known_from: {type: TIMESTAMPTZ, doc: "when this version came into force"}
  known_to: {type: TIMESTAMPTZ, doc: "when something became known that the vintage did not know"}
---
One row is a row of pit.entitlements as one vintage of the security knew it: without actions announced later, and with the factors of its time.
*/
with prints as (
    {{ prints_of_vintages() }}
),

actions as (
    {{ actions_of_vintages() }}
),

{{ growth_of_shares('prints', 'actions') }},

-- what the vintages before this one learned of a row
relearned as (
    select
        shares.track,
        shares.from_date,
        max(before.known_at) as known_at,
    from shares
    join pit.vintages as vintages on vintages.track = shares.track
    join pit.vintages as before
        on before.security_id = vintages.security_id
        and before.to_date < vintages.to_date
        -- lint: allow time_join: every row since then was known anew; few securities have vintages
        and before.learned_since <= shares.from_date
    group by all
)

select
    shares.track,
    shares.security_id,
    shares.from_date,
    shares.shares,
    shares.shares_since_first,
    greatest(shares.known_at, relearned.known_at) as known_at,
    greatest(shares.known_at, vintages.began_at) as known_from,
    vintages.known_at as known_to,
from shares
join pit.vintages as vintages on vintages.track = shares.track
left join relearned on relearned.track = shares.track and relearned.from_date = shares.from_date
