select
    reports.date,
    reports.ticker,
    reports.eps_inr / nullif(returns.close, 0) as value,
    reports.book_inr / nullif(returns.close, 0) as book_to_price,
from prepared.fundamentals_asof as reports
join prepared.returns as returns on returns.date = reports.date and returns.ticker = reports.ticker
