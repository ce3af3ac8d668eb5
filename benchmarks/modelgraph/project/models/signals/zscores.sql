select
    date,
    ticker,
    sector,
    (momentum - avg(momentum) over day) / nullif(stddev_samp(momentum) over day, 0) as momentum,
    (quality - avg(quality) over day) / nullif(stddev_samp(quality) over day, 0) as quality,
    (value - avg(value) over day) / nullif(stddev_samp(value) over day, 0) as value,
    (size - avg(size) over day) / nullif(stddev_samp(size) over day, 0) as size,
from signals.panel
window day as (partition by date)
