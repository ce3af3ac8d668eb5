/*---
kind: incremental
look_back: 0
grain: [date, factor, security_id]
checks:
  - "isfinite(z)"
  - {rows: "abs(z) < 25", level: warn, name: far_out}
  - {name: proxy_weight_is_a_share, query: "select {{ proxy_weight }} as proxy_weight where {{ proxy_weight }} not between 0 and 1"}
  - {name: winsor_pct_leaves_a_middle, query: "select {{ winsor_pct }} as winsor_pct where {{ winsor_pct }} not between 0 and 49"}
columns:
  date: {type: DATE, doc: "decision date"}
  security_id: {type: BIGINT, doc: "an active member"}
  factor: {type: VARCHAR, doc: "table of the factors layer"}
  sleeve: {type: VARCHAR, doc: "family of the factor"}
  z: {type: DOUBLE, unit: standard deviations, doc: "winsorised, sector-neutral, turned so that more is better"}
  basis: {type: VARCHAR, doc: "what the value is made of: filings or prices; z compares names of one basis"}
---
One row is a factor made comparable: cut at `winsor_pct` on each tail of the date's cross-section (linear quantiles, as ntile would move with ties),
less the mean of its sector, over the standard deviation of what remains across all names, times the factor's sign.
A factor's proxies are a cross-section of their own (`basis`): a name is so far from the names that are measured as it is. A proxy tells only a part of
what the factor would, so its z-score is multiplied by `proxy_weight`: the best guess of a z-score is another one times their correlation.
Names without a known sector are a group of their own. A group of one says nothing about its member against its peers, so its z is zero.
*/
with grouped as (
    select
        panel.date,
        panel.factor,
        panel.sleeve,
        panel.sign,
        panel.security_id,
        panel.value,
        panel.basis,
        panel.is_proxy,
        coalesce(members.sector, 'no sector known') as sector,
    from signals.panel as panel
    join universe.members as members on members.date = panel.date and members.security_id = panel.security_id
),

edges as (
    select
        date,
        factor,
        basis,
        quantile_cont(value, {{ winsor_pct / 100 }}) as low,
        quantile_cont(value, {{ 1 - winsor_pct / 100 }}) as high,
    from grouped
    group by date, factor, basis
),

cut as (
    select
        grouped.* exclude (value),
        greatest(edges.low, least(edges.high, grouped.value)) as value,
    from grouped
    join edges using (date, factor, basis)
),

sectors as (
    select
        date,
        factor,
        basis,
        sector,
        avg(value order by security_id) as mean,
    from cut
    group by date, factor, basis, sector
),

centred as (
    select
        cut.*,
        cut.value - sectors.mean as distance,
    from cut
    join sectors using (date, factor, basis, sector)
),

-- one scale for all sectors, so that a wide sector stays wide
spreads as (
    select
        date,
        factor,
        basis,
        stddev_samp(distance order by security_id) as spread,
    from centred
    group by date, factor, basis
)

select
    centred.date,
    centred.security_id,
    centred.factor,
    centred.sleeve,
    -- a cross-section without any spread (or of one name) tells nobody apart
    if(spreads.spread > 1e-12, centred.sign * if(centred.is_proxy, {{ proxy_weight }}, 1.0) * centred.distance / spreads.spread, 0.0) as z,
    centred.basis,
from centred
join spreads using (date, factor, basis)
