/*---
kind: incremental
date: date
look_back: 1
grain: [date]
knowable: date
checks:
  - {query: "select date from health.sessions_missing", level: warn, name: sessions_are_missing}
columns:
  date: {type: DATE, doc: "first session after the gap"}
  last_date: {type: DATE, doc: "last session before the gap"}
  n_broken: {type: BIGINT, unit: count, doc: "names whose printed previous close is not our last close"}
  n_compared: {type: BIGINT, unit: count, doc: "names with a print in both sessions"}
  share_broken: {type: DOUBLE, unit: ratio, doc: "n_broken / n_compared"}
  candidates: {type: VARCHAR, doc: "days between that may have traded, weekdays first"}
---
One row is a gap: between two sessions of ours the exchange traded at least once more, as most printed previous closes are not our last ones
(dropping one session breaks 84–98 % of names; a normal session breaks none). Adjacent missing sessions show as one gap.
Returns over a gap span more than one session of the exchange; they are kept, as market and names share them.
*/
with compared as (
    select
        returns.session_no,
        count(*) as n_compared,
    from pit.returns as returns
    where returns.sessions_since_last = 1
    group by returns.session_no
),

broken as (
    select
        session_no,
        count(*) as n_broken,
    from health.price_breaks
    where is_market_wide
    group by session_no
),

gaps as (
    select
        sessions.date,
        (select max(past.date) from pit.sessions as past where past.date < sessions.date) as last_date,
        broken.n_broken,
        compared.n_compared,
    from broken
    join compared using (session_no)
    join pit.sessions as sessions using (session_no)
)

select
    date,
    last_date,
    n_broken,
    n_compared,
    n_broken / n_compared as share_broken,
    (
        select string_agg(strftime(day, '%Y-%m-%d %a'), ', ' order by isodow(day) >= 6, day)
        from generate_series(last_date + 1, date - 1, interval 1 day) as days (day)
    ) as candidates,
from gaps
