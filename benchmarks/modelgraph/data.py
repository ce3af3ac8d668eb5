"""Make the model graph's sources: 500 securities × 2,000 sessions, quarterly reports with the day they came out.

Every number is a hash of its key, so the files are the same on every machine.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

N_SECURITIES, N_SESSIONS = 500, 2000

NAMES = f"""
create table names as
select i, printf('T%03d', i) as ticker, 0.10 + hash(i, 1) % 1000 / 1000.0 * 0.35 as volatility,
    (hash(i, 2) % 1000 / 1000.0 - 0.35) * 0.30 as drift
from range({N_SECURITIES}) as t(i)
"""
SESSIONS = f"""
create table sessions as
select row_number() over (order by day) as i, day::date as date
from range(date '2016-01-01', date '2023-12-31', interval 1 day) as t(day)
where isodow(day) <= 5
qualify i <= {N_SESSIONS}
"""
TABLES = {
    "prices": """
        with steps as (
            select date, ticker, names.i as n, hash(names.i, sessions.i, 6) % 1000 as u,
                drift / 252 + volatility / sqrt(252)
                * (hash(names.i, sessions.i, 3) % 1000 + hash(names.i, sessions.i, 4) % 1000
                    + hash(names.i, sessions.i, 5) % 1000 - 1500.0) / 500.0 as step
            from names, sessions
        ), paths as (
            select *, 100 * exp(sum(step) over (partition by ticker order by date)) as close from steps
        )
        select date, ticker, round(close * (1 - u / 200000.0), 4) as open, round(close * (1 + u / 100000.0), 4) as high,
            round(close * (1 - u / 90000.0), 4) as low, round(close, 4) as close,
            (10000 + hash(n) % 500000 + u * 37)::bigint as volume
        from paths order by date, ticker
    """,
    "universe": """
        select ticker, printf('SEC%02d', i * 7 % 11) as sector, 0.25 + hash(i, 9) % 700 / 1000.0 as free_float
        from names order by ticker
    """,
    "fundamentals": """
        select ticker, day::date as period_end,
            (day + interval (25 + hash(i, day::date, 7) % 40) day)::date as announced_on,
            round(5 + hash(i, day::date, 8) % 4000 / 100.0, 2) as eps_inr,
            round(50 + hash(i, day::date, 10) % 30000 / 100.0, 2) as book_inr
        from names, range(date '2015-12-31', date '2023-12-31', interval 3 month) as t(day) order by ticker, period_end
    """,
}


def write(folder: Path) -> dict[str, Path]:
    """Write one parquet file a dataset, unless they are there; returns them by name."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {name: folder / f"{name}.parquet" for name in TABLES}
    if not all(path.exists() for path in files.values()):
        with duckdb.connect() as con:
            con.execute("set threads = 1")
            con.execute(NAMES)
            con.execute(SESSIONS)
            for name, query in TABLES.items():
                con.execute(f"copy ({query}) to '{files[name].as_posix()}' (format parquet, compression zstd)")
    return files
