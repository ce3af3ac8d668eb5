-- Which factors foretold returns, at which horizon, and on how many names.
select
    ic_summary.factor,
    ic_summary.sleeve,
    ic_summary.horizon_days,
    round(ic_summary.mean_ic, 4) as mean_ic,
    round(ic_summary.t_stat, 2) as t_stat,
    round(ic_summary.hit_rate, 2) as hit_rate,
    ic_summary.n_dates,
    round(avg(coverage.coverage), 2) as mean_coverage,
from alpha.ic_summary as ic_summary
join alpha.coverage as coverage using (factor)
group by all
order by ic_summary.factor, ic_summary.horizon_days
