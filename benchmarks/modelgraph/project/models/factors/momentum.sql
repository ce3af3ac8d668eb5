select
    today.date,
    today.ticker,
    ln(month_ago.close / nullif(year_ago.close, 0)) as value,
from prepared.returns as today
join prepared.calendar as calendar on calendar.date = today.date and calendar.is_month_end
join prepared.returns as month_ago on month_ago.ticker = today.ticker and month_ago.session_no = today.session_no - 21
join prepared.returns as year_ago on year_ago.ticker = today.ticker and year_ago.session_no = today.session_no - 252
