-- Why names were left out of the universe, by decision date.
select
    date,
    coalesce(reason, 'active') as reason,
    count(*) as n_names,
from universe.members
group by date, reason
order by date desc, n_names desc
