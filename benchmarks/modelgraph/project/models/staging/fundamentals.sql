select
    ticker,
    period_end,
    announced_on,
    eps_inr,
    book_inr,
from raw.fundamentals
