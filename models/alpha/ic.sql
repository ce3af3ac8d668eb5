/*---
kind: incremental
date: known_on
look_back: 150
grain: [known_on, factor, horizon_days]
references: {date: universe.rebalances.date}
order: [factor, horizon_days, date]
knowable: known_on
checks:
  - name: look_back_is_as_long_as_the_horizons
    query: "select {{ ic_horizons | max }} as horizon where {{ ic_horizons | max }} > 140"
  - "ic is null or ic between -1.000000001 and 1.000000001"
  - "n >= 2"
  - "known_on > date"
columns:
  date: {type: DATE, doc: "decision date"}
  factor: {type: VARCHAR, doc: "table of the factors layer"}
  sleeve: {type: VARCHAR, doc: "family of the factor"}
  horizon_days: {type: INTEGER, unit: sessions, doc: "sessions from the close of date to the return's end"}
  ic: {type: DOUBLE, doc: "Spearman's coefficient of the factor (more is better) and the return after it; null where either is constant"}
  n: {type: BIGINT, unit: count, doc: "names with both"}
  known_on: {type: DATE, doc: "last session of the return"}
---
One row is the rank correlation of a factor on a decision date with the return over the next h sessions. Ties share their average rank; each
horizon has its own sample (a name without a 63-session return still counts for one session). Returns come from the forward index at the very
sessions t and t + h: a name without a print at t + h (suspended or dead) has no return and no stale price stands in for it.
Ranks are half-integers, so every sum is exact and the coefficient does not depend on the order of rows.
*/
with factors as (
    select distinct factor, sleeve, sign
    from signals.panel
),

-- one number for each correlation, cheaper to sort by than its names
cells as (
    select
        rebalances.date,
        rebalances.session_no + horizon.horizon_days as end_no,
        sessions.date as known_on,
        horizon.horizon_days,
        factors.factor,
        factors.sleeve,
        factors.sign,
        (row_number() over (order by factors.factor, horizon.horizon_days, rebalances.date))::integer as cell,
    from universe.rebalances as rebalances
    cross join (values {% for h in ic_horizons %}({{ h }}){% if not loop.last %}, {% endif %}{% endfor %}) as horizon (horizon_days)
    cross join factors
    join pit.sessions as sessions on sessions.session_no = rebalances.session_no + horizon.horizon_days
    -- the newest session nobody decides on leaves with the next one, even where a short session follows it
    where not rebalances.is_last
),

tracks as not materialized (
    {{ returns_by_track('date, session_no, security_id, total_return_index') }}
),

-- worked out step by step: left alone, the optimiser multiplies the whole panel of prices by the horizons
ends as materialized (
    select
        members.date,
        members.security_id,
        sessions.session_no as end_no,
        -- a return is measured with what was known at its end
        coalesce(vintages.track, members.security_id) as track,
    from universe.members as members
    join universe.rebalances as rebalances using (date)
    cross join (values {% for h in ic_horizons %}({{ h }}){% if not loop.last %}, {% endif %}{% endfor %}) as horizon (horizon_days)
    join pit.sessions as sessions on sessions.session_no = rebalances.session_no + horizon.horizon_days
    {{ join_vintages('members', 'sessions.date') }}
    where members.active
),

starts as materialized (
    select
        ends.date,
        ends.security_id,
        ends.end_no,
        ends.track,
        tracks.total_return_index as start_index,
    from ends
    join tracks on tracks.track = ends.track and tracks.date = ends.date
),

forward as (
    select
        starts.date,
        starts.security_id,
        starts.end_no,
        tracks.total_return_index / nullif(starts.start_index, 0) - 1 as forward_ret,
    from starts
    join tracks on tracks.track = starts.track and tracks.session_no = starts.end_no
),

pairs as materialized (
    select
        cells.cell,
        cells.sign * panel.value as value,
        forward.forward_ret,
    from signals.panel as panel
    join forward using (date, security_id)
    join cells on cells.date = panel.date and cells.factor = panel.factor and cells.end_no = forward.end_no
    -- a proxy is in another unit, and is measured where it is a factor
    where panel.is_proxy is not true
),

-- twice the average rank, an integer: tied names share the mean of the places they take
ranked as (
    select
        cell,
        2 * rank() over by_value + count(*) over (by_value range between current row and current row) - 1 as x,
        2 * rank() over by_return + count(*) over (by_return range between current row and current row) - 1 as y,
    from pairs
    window
        by_value as (partition by cell order by value),
        by_return as (partition by cell order by forward_ret)
),

sums as (
    select
        cell,
        count(*) as n,
        sum(x)::double as sx,
        sum(y)::double as sy,
        sum(x * x)::double as sxx,
        sum(y * y)::double as syy,
        sum(x * y)::double as sxy,
    from ranked
    group by cell
)

select
    cells.date,
    cells.factor,
    cells.sleeve,
    cells.horizon_days::integer as horizon_days,
    (sums.n * sums.sxy - sums.sx * sums.sy)
        / nullif(sqrt(sums.n * sums.sxx - sums.sx * sums.sx) * sqrt(sums.n * sums.syy - sums.sy * sums.sy), 0) as ic,
    sums.n,
    cells.known_on,
from sums
join cells using (cell)
where sums.n >= 2
