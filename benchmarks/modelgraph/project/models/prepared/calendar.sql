select
    date,
    row_number() over (order by date) as session_no,
    date = max(date) over (partition by date_trunc('month', date)) as is_month_end,
from (select distinct date from staging.prices)
