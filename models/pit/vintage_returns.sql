/*---
kind: incremental
date: date
look_back: 63
grain: [date, track]
order: [date, track]
knowable: "date '9999-12-31'"
columns:
  track: {type: BIGINT, doc: "pit.vintages"}
  date: {type: DATE, doc: "trade date"}
  session_no: {type: INTEGER, doc: "number of the session"}
  security_id: {type: BIGINT, doc: "the security"}
  kind: {type: VARCHAR, doc: "kind on that day"}
  ticker: {type: VARCHAR, doc: "symbol printed that day"}
  close: {type: DOUBLE, unit: inr, doc: "official close, never adjusted"}
  turnover_inr: {type: DOUBLE, unit: inr, doc: "value traded"}
  ret: {type: DOUBLE, unit: ratio, doc: "return since the previous session; null on the first print and on the first print after a hole"}
  ret_kind: {type: VARCHAR, doc: "total once dividends are on file, price before"}
  total_return_index: {type: DOUBLE, unit: ratio, doc: "1.0 at the first print, running forward, carried across holes"}
  sessions_since_last: {type: INTEGER, unit: sessions, doc: "sessions since the previous print, 1 without a hole; null on the first and after a silence of more than 63"}
  is_stale: {type: BOOLEAN, doc: "printed without a trade"}
  known_at: {type: TIMESTAMPTZ, doc: "when the row was known as it stands here"}
  known_from: {type: TIMESTAMPTZ, doc: "when this version came into force"}
  known_to: {type: TIMESTAMPTZ, doc: "when something became known that the vintage did not know"}
  seen_on: {type: DATE, doc: "first date whose decision could use the row"}
---
One row is a row of pit.returns as one vintage of the security knew it, for the sessions the windows of its decisions need. It is empty where nothing
came late and nothing was corrected.
*/
with prints as (
    {{ prints_of_vintages() }}
),

{{ steps_of('prints') }},

shares as (
    select
        *,
        lead(from_date, 1, date '9999-12-31') over (partition by track order by from_date) as to_date,
    from pit.vintage_entitlements
),

-- what the vintages before this one learned of a row
relearned as (
    select
        steps.track,
        steps.date,
        max(before.known_at) as known_at,
        max(before.to_date) as seen_on,
    from steps
    join pit.vintages as vintages on vintages.track = steps.track
    join pit.vintages as before
        on before.security_id = vintages.security_id
        and before.to_date < vintages.to_date
        -- lint: allow time_join: every row since then was known anew; few securities have vintages
        and before.learned_since <= steps.date
    where before.known_at > steps.known_at
    group by all
)

select
    steps.track,
    {{ return_columns() }}
    coalesce(relearned.known_at, steps.known_at) as known_at,
    greatest(steps.known_at, vintages.began_at) as known_from,
    vintages.known_at as known_to,
    coalesce(relearned.seen_on, steps.seen_on) as seen_on,
from steps
-- lint: allow time_join: all rows of a vintage from its first one on; few securities have one
join pit.vintages as vintages on vintages.track = steps.track and steps.date >= vintages.seen_from
join pit.first_prints as firsts on firsts.security_id = steps.security_id
cross join dividends
left join shares on shares.track = steps.track and shares.from_date <= steps.date and steps.date < shares.to_date
left join relearned on relearned.track = steps.track and relearned.date = steps.date
