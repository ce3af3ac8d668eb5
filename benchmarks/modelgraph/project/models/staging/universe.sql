select
    ticker,
    sector,
    free_float,
from raw.universe
