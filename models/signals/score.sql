/*---
kind: incremental
look_back: 0
grain: [date, blend, security_id]
order: [date, blend, rank]
checks:
  - "isfinite(score)"
  - "rank >= 1"
  - "weight_known > 0 and weight_known <= 1 + 1e-9"
  - name: blends_name_factors_there_are
    query: "select blend, factor from config.blends where factor not in ({% for factor in tables('factors') %}{{ factor.table }}{% if not loop.last %}, {% endif %}{% endfor %})"
columns:
  date: {type: DATE, doc: "decision date"}
  blend: {type: VARCHAR, doc: "blend of config.blends"}
  security_id: {type: BIGINT, doc: "an active member"}
  score: {type: DOUBLE, unit: standard deviations, doc: "weighted sum of z-scores"}
  rank: {type: INTEGER, doc: "1 is best; ties go to the smaller security_id"}
  weight_known: {type: DOUBLE, unit: ratio, doc: "share of the blend's weight whose factors this name has"}
---
One row is the blended score of a name. A factor a name has no value for counts as zero, the average name: it neither helps nor hurts, and
`weight_known` says how much of the blend was there. Names with less than half of the weight are not ranked.
*/
with summed as (
    select
        zscores.date,
        blends.blend,
        zscores.security_id,
        sum(blends.weight * zscores.z order by zscores.factor) as score,
        sum(abs(blends.weight) order by zscores.factor) as weight,
    from signals.zscores as zscores
    join config.blends as blends using (factor)
    group by all
),

blends as (
    select
        blend,
        sum(abs(weight) order by factor) as weight,
    from config.blends
    group by blend
)

select
    summed.date,
    summed.blend,
    summed.security_id,
    summed.score / nullif(blends.weight, 0) as score,
    (row_number() over (partition by summed.date, summed.blend order by summed.score desc, summed.security_id))::integer as rank,
    summed.weight / nullif(blends.weight, 0) as weight_known,
from summed
join blends using (blend)
where summed.weight >= 0.5 * blends.weight
