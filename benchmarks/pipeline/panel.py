"""Make a seeded panel that looks like an exchange: `python panel.py N_SECURITIES FOLDER` writes prices and sectors.

Twenty years of sessions, rows date by date and shuffled within a date as in a bhavcopy; fat-tailed market, listings
and delistings, splits, sessions without a print, and 2 keys in 10,000 loaded twice.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl

FIRST, LAST = np.datetime64("2005-01-03"), np.datetime64("2024-12-31")
SEED = 7


def sessions(rng: np.random.Generator) -> np.ndarray:
    """Weekdays without about one in twenty."""
    days = np.arange(FIRST, LAST + 1)
    weekdays = days[np.is_busday(days)]
    return weekdays[rng.random(len(weekdays)) >= 0.05]


def alive(rng: np.random.Generator, n_days: int, n: int) -> np.ndarray:
    """(n_days, n) booleans: listed and traded. A third lists later, a fifth dies, few sessions have no print."""
    first, end = np.zeros(n, int), np.full(n, n_days)
    late, dead = rng.random(n) < 0.35, rng.random(n) < 0.20
    first[late] = rng.integers(0, int(n_days * 0.9), late.sum())
    end[dead] = first[dead] + ((n_days - first[dead]) * rng.uniform(0.2, 1, dead.sum())).astype(int)
    day = np.arange(n_days)[:, None]
    return (day >= first) & (day < end) & (rng.random((n_days, n), dtype="f4") > 0.003)


def prices(n: int) -> pl.DataFrame:
    """The panel of `n` securities, one row a print, in the order of loading."""
    rng = np.random.default_rng(SEED)
    days = sessions(rng)
    n_days = len(days)
    traded = alive(rng, n_days, n)
    market = rng.standard_t(4, n_days) * 0.0075 + 0.0004
    beta, noise = rng.uniform(0.4, 1.8, n), rng.uniform(0.012, 0.035, n)
    ret = np.clip(beta * market[:, None] + rng.standard_normal((n_days, n), dtype="f4") * noise, -0.2, 0.2)
    adjusted = np.exp(rng.normal(5, 1, n) + np.cumsum(np.log1p(ret), axis=0))
    split = np.where(rng.random((n_days, n), dtype="f4") < 1 / 2016, rng.choice([0.5, 0.2, 0.1], (n_days, n)), 1.0)
    later = np.vstack([np.cumprod(split[:0:-1], axis=0)[::-1], np.ones((1, n))])
    day, security = np.nonzero(traded)
    order = np.lexsort((rng.random(len(day), dtype="f4"), day))
    twice = rng.choice(order, int(len(order) * 0.0002), replace=False)
    order = np.concatenate([order, twice])
    order = order[np.argsort(day[order], kind="stable")]
    day, security = day[order], security[order]
    size = len(day)
    factor = later[day, security]
    close = np.round(adjusted[day, security] / factor, 2).clip(0.05)
    open_ = np.round(close * np.exp(rng.normal(0, 0.006, size)), 2).clip(0.05)
    high = np.round(np.maximum(open_, close) * np.exp(np.abs(rng.normal(0, 0.008, size))), 2)
    low = np.round(np.minimum(open_, close) * np.exp(-np.abs(rng.normal(0, 0.008, size))), 2).clip(0.05)
    volume = np.exp(rng.normal(0, 0.7, size) + rng.normal(11, 1.8, n)[security]).astype("i8")
    return pl.DataFrame(
        {
            "date": days[day],
            "symbol": pl.Series(names(n))[security],
            "load_seq": np.arange(size),
            "open": open_,
            "high": high,
            "low": low,
            "close": close,
            "volume": volume,
            "adj_factor": factor,
        }
    )


def names(n: int) -> list[str]:
    """Tickers."""
    return [f"SYM{i:05d}" for i in range(n)]


def sectors(n: int) -> pl.DataFrame:
    """Each security in one of twenty sectors."""
    number = np.random.default_rng(SEED + 1).integers(0, 20, n)
    return pl.DataFrame({"symbol": names(n), "sector": [f"SEC{i:02d}" for i in number]})


def write(n: int, folder: Path) -> None:
    """Write `prices.parquet` and `sectors.parquet`, unless they are there."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "sectors.parquet").exists():
        prices(n).write_parquet(folder / "prices.parquet", row_group_size=122_880)
        sectors(n).write_parquet(folder / "sectors.parquet")


if __name__ == "__main__":
    write(int(sys.argv[1]), Path(sys.argv[2]))
