/*---
grain: [security_id, to_date]
interval: [seen_from, to_date]
knowable: "date '9999-12-31'"
order: [security_id, to_date]
checks:
  - "from_date < to_date"
  - "since_date <= from_date"
  - "seen_from <= since_date"
columns:
  security_id: {type: BIGINT, doc: "the security"}
  track: {type: BIGINT, doc: "number of the vintage, below zero; the track of what is known now is the security_id"}
  from_date: {type: DATE, doc: "first decision date that reads this vintage"}
  to_date: {type: DATE, doc: "first decision date that no longer does: something it did not know became known"}
  since_date: {type: DATE, doc: "first date of which it knew less, or something else, than is known now"}
  learned_since: {type: DATE, doc: "first date of which what became known at known_at speaks"}
  seen_from: {type: DATE, doc: "first session whose rows its windows need"}
  began_at: {type: TIMESTAMPTZ, doc: "when what the vintage before did not know became known; null for the first"}
  known_at: {type: TIMESTAMPTZ, doc: "when what this one did not know became known"}
---
One row is an interval of decision dates on which what was known of a security's past differs from what is known now: a print came late or was
corrected or withdrawn, a corporate action was announced or restated after its ex-date. A decision in it reads the prints and actions of that
time (its track); all other decisions, and all other securities, read what is known now, in one pass. It grows with every correction, so no row
is final.
*/
with learned as (
    select security_id, date as since_date, seen_on as to_date, known_at
    from pit.prices
    where seen_on > date
    union all
    -- of a version that has gone: when it was learned, and when it went
    select security_id, date, seen_on, known_from
    from pit.price_versions
    where seen_on > date
    union all
    select security_id, date, seen_to, known_to
    from pit.price_versions
    where seen_to > date and seen_to < date '9999-12-31'
    union all
    select security_id, ex_date, {{ decision_date('known_at') }}, known_at
    from pit.corporate_actions
    where {{ decision_date('known_at') }} > ex_date
    union all
    select security_id, ex_date, {{ decision_date('known_from') }}, known_from
    from pit.replaced_actions
    where {{ decision_date('known_from') }} > ex_date
    union all
    select security_id, ex_date, {{ decision_date('known_to') }}, known_to
    from pit.replaced_actions
    where {{ decision_date('known_to') }} > ex_date
),

moments as (
    select
        security_id,
        to_date,
        min(since_date) as since_date,
        min(known_at) as known_at,
    from learned
    group by security_id, to_date
),

intervals as (
    select
        security_id,
        to_date,
        -- what is learned later still is not known in it either
        min(since_date) over (partition by security_id order by to_date rows between current row and unbounded following) as since_date,
        since_date as learned_since,
        lag(to_date) over moments as last_to_date,
        lag(known_at) over moments as began_at,
        known_at,
    from moments
    window moments as (partition by security_id order by to_date)
),

started as (
    select
        *,
        greatest(since_date, coalesce(last_to_date, since_date)) as from_date,
    from intervals
),

numbered as (
    select started.*, count(sessions.date) as sessions_before
    from started
    -- lint: allow time_join: counts sessions; few securities have vintages
    left join pit.sessions as sessions on sessions.date < started.from_date
    group by all
)

select
    numbered.security_id,
    -- a decision date has fewer than 100,000 days since 1970, so no two vintages share a number
    -(numbered.security_id * 100000 + (numbered.to_date - date '1970-01-01')) as track,
    numbered.from_date,
    numbered.to_date,
    numbered.since_date,
    numbered.learned_since,
    -- as far back as the windows of features.daily reach
    least(numbered.since_date, coalesce(sessions.date, date '1900-01-01')) as seen_from,
    numbered.began_at,
    numbered.known_at,
from numbered
left join pit.sessions as sessions on sessions.session_no = numbered.sessions_before - 280
