select
    date,
    ticker,
    avg(turnover_inr) over (partition by ticker order by date rows between 19 preceding and current row) as adv_inr,
from prepared.returns
