/*---
grain: [date, bucket]
---
One row is a rebalance date and a bucket of the score: the mean return that followed.
*/
with bucketed as (
    select
        *,
        ntile({{ n_buckets }}) over (partition by date order by blend nulls last, security_id) as bucket,
    from alpha.labels
)
select
    date,
    bucket,
    {{ stable_avg('ahead_1') }} as ahead_1,
    {{ stable_avg('ahead_5') }} as ahead_5,
    {{ stable_avg('ahead_21') }} as ahead_21,
    {{ stable_avg('ahead_63') }} as ahead_63,
    count(*) as n,
from bucketed
group by date, bucket
