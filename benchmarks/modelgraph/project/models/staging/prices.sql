select
    date,
    ticker,
    open,
    high,
    low,
    close,
    volume,
from raw.prices
where close > 0
