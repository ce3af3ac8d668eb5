"""What the fold costs: 16 years, four portfolios of a hundred names each, with stops, overlays, impact and taxes.

`python -m benchmarks.fold` makes a seeded market, folds the four portfolios and says what that took, in CPU seconds and
wall seconds, as a whole and by step; `--plain` leaves overlays and taxes out. Making the market and laying it out are
not part of it, but told.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tsq.quant.book import Book, Day, Execution, Policy, Targets
from tsq.quant.charges import schedule
from tsq.quant.events import events_table
from tsq.quant.ledger import STEPS, fold
from tsq.quant.market import Market, market
from tsq.quant.overlay import scale
from tsq.quant.risk_rules import Looked, Rules, overlay
from tsq.quant.stops import highest_high, wilder_atr
from tsq.quant.tax import law
from tsq.quant.tax_accounts import Terms

ROOT = Path(__file__).parents[1]
YEARS, NAMES, HELD, PORTFOLIOS, SESSIONS_A_MONTH = 16, 300, 100, 4, 21
SLIPPAGE, HAIRCUT, CAPITAL = 0.001, 0.3, 1e8
OPEN_END = dt.date(9999, 12, 31)


def made_market(seed: int = 7) -> Market:
    """Sessions from 2010 on, with splits, dividends and holes, through the same door as the real market."""
    rng = np.random.default_rng(seed)
    days = np.arange(np.datetime64("2010-01-04"), np.datetime64("2026-03-01"))
    days = days[np.is_busday(days)][: YEARS * 252]
    shape = (len(days), NAMES)
    common = rng.normal(0.0004, 0.009, (len(days), 1))
    close = 200.0 * np.exp(np.cumsum(common + rng.normal(0.0, 0.018, shape), axis=0)) * rng.uniform(0.2, 8.0, NAMES)
    factor, cash = np.ones(shape), np.zeros(shape)
    split = rng.random(shape) < 0.0002
    factor[split] = rng.choice([2.0, 5.0, 1.5], split.sum())
    close /= np.cumprod(factor, axis=0)
    paid = rng.random(shape) < 0.004
    cash[paid] = 0.01 * close[paid]
    open_ = close * np.exp(rng.normal(0.0, 0.006, shape))
    volume = np.round(rng.uniform(1e5, 3e6, shape) * 200.0 / close) + 1.0
    trades = rng.random(shape) > 0.002
    day, name = np.nonzero(trades)
    at = (day, name)
    quotes = pl.DataFrame(
        {
            "date": days[day],
            "security_id": name + 1000,
            "open": open_[at],
            "high": (np.maximum(open_, close) * 1.01)[at],
            "low": (np.minimum(open_, close) * 0.99)[at],
            "close": close[at],
            "mark": close[at],
            "volume": volume[at],
            "turnover_inr": (volume * close)[at],
            "adv_inr": (1.5e6 * 200.0 * np.ones(shape))[at],
            "sigma": np.full(len(day), 0.02),
            "sessions_stale": np.zeros(len(day), np.int64),
            "share_factor": factor[at],
            "cash_per_share": cash[at],
            "action": np.where(factor[at] != 1.0, "split", "dividend"),
            "bonus_factor": np.ones(len(day)),
            "kept": np.ones(len(day)),
            "taken_per_share": np.zeros(len(day)),
        }
    ).with_columns(pl.col("date").cast(pl.Date))
    made = market(quotes, pl.DataFrame({"date": days}), delist_after_sessions=60)
    # a hole keeps the last close as its mark, as book.quotes has it
    mark = pl.DataFrame(made.mark).with_columns(pl.all().fill_nan(None).forward_fill()).to_numpy()
    before = np.vstack([np.full(NAMES, np.nan), mark[:-1]])
    for row, of in made.actions.items():
        before[row, of.names] *= of.kept / of.factor
    return Market(**(vars(made) | {"mark": mark, "before": before}))


def decisions(market: Market, seed: int) -> dict[int, Targets]:
    """A hundred names a month in uneven weights, four fifths of them those of the month before."""
    rng = np.random.default_rng(seed)
    names, out = rng.permutation(NAMES)[:HELD], {}
    for row in range(252, len(market.dates) - 1, SESSIONS_A_MONTH):
        kept = rng.permutation(names)[: HELD * 4 // 5]
        others = rng.permutation(np.setdiff1d(np.arange(NAMES), kept))[: HELD - len(kept)]
        names = np.sort(np.concatenate([kept, others]))
        out[row] = Targets(names, rng.dirichlet(np.full(HELD, 8.0)) * 0.99)
    return out


def policies(market: Market, *, plain: bool) -> list[Policy]:
    """Four portfolios, two of each overlay, all with impact; with stops, scaling and taxes unless they are plain."""
    charges = pl.read_csv(ROOT / "config" / "charges.csv", try_parse_dates=True)
    rates = schedule(charges, market.dates, plan="ZERODHA")
    tax = pl.read_csv(ROOT / "config" / "tax_rates.csv", try_parse_dates=True).with_columns(
        valid_from=pl.col("from_date"),
        valid_to=pl.col("to_date").dt.offset_by("1d").fill_null(OPEN_END),
        known_from=pl.col("from_date").cast(pl.Datetime("us", "UTC")),
        known_to=pl.lit(dt.datetime.combine(OPEN_END, dt.time(), dt.UTC)).cast(pl.Datetime("us", "UTC")),
    )
    terms = Terms(law(tax))
    rules = [
        Rules(
            "base",
            vol_target=0.12,
            throttle="grossman_zhou",
            stop_multiple=3.0,
            min_hold_sessions=2,
            reentry_sessions=21,
        ),
        Rules("aggressive", vol_target=0.20, throttle="linear", kelly_fraction=0.5, stop_multiple=3.0, hard_stop=0.20),
    ]
    looked = looks(market)
    out = []
    for number in range(PORTFOLIOS):
        rule = rules[number % 2]
        watched = overlay(rule, looked, market, risk_free=0.06, sessions_per_year=252, trades_at_close=False)
        out.append(
            Policy(
                decisions(market, number),
                rates,
                SLIPPAGE,
                HAIRCUT,
                execution=Execution(participation=0.10, impact=1.0),
                name_cap=0.10,
                **({} if plain else {"overlay": watched, "exposure": scale, "taxes": terms}),
            )
        )
    return out


def looks(market: Market) -> Looked:
    """What overlays look at, as its tables."""
    factor = np.ones(market.close.shape)
    for row, of in market.actions.items():
        factor[row, of.names] = 1.0 / of.factor
    atr = wilder_atr(market.high, market.low, market.close, 22, seed="wilder", factor=factor)
    highest = highest_high(market.high, 22, factor=factor)
    day, name = np.nonzero(~np.isnan(atr))
    rows = pl.DataFrame(
        {
            "date": market.dates[day],
            "security_id": market.names[name],
            "sessions": np.full(len(day), 22),
            "seed": "wilder",
            "atr_inr": atr[day, name],
            "highest_inr": highest[day, name],
        }
    )
    regimes = pl.DataFrame({"date": market.dates, "trend": "up", "volatility": "calm"})
    windows = pl.DataFrame(schema={"security_id": pl.Int64, "from_date": pl.Date, "to_date": pl.Date})
    return Looked(rows, regimes, windows)


def timed(step: Callable[[Book, Day], Book], spent: dict[str, float]) -> Callable[[Book, Day], Book]:
    """A step that adds what it takes to `spent`."""

    def wrapped(book: Book, day: Day) -> Book:
        clock = time.perf_counter()
        out = step(book, day)
        spent[step.__name__] += time.perf_counter() - clock
        return out

    return wrapped


def main() -> None:
    """Measure, and print what was measured."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--plain", action="store_true", help="without overlays and taxes")
    plain = asked.parse_args().plain
    clock = time.process_time()
    seen = made_market()
    laid = time.process_time() - clock
    made = policies(seen, plain=plain)
    told: dict[str, Any] = {
        "sessions": len(seen.dates),
        "portfolios": len(made),
        "laying_out_cpu_seconds": round(laid, 2),
    }
    fold(seen, made[0], CAPITAL)  # warm
    cpu, wall = time.process_time(), time.perf_counter()
    folded = [fold(seen, policy, CAPITAL) for policy in made]
    told["fold_cpu_seconds"], told["fold_wall_seconds"] = (
        round(time.process_time() - cpu, 2),
        round(time.perf_counter() - wall, 2),
    )
    cpu = time.process_time()
    tables = [events_table(str(number), batches, seen) for number, batches in enumerate(folded)]
    told["table_cpu_seconds"] = round(time.process_time() - cpu, 2)
    kinds = pl.concat(tables)["kind"].value_counts().sort("kind")
    told["events"] = dict(kinds.iter_rows())
    spent = {step.__name__: 0.0 for step in STEPS}
    steps = [timed(step, spent) for step in STEPS]
    for policy in made:
        fold(seen, policy, CAPITAL, steps)
    told["seconds_by_step"] = {
        name: round(seconds, 2) for name, seconds in sorted(spent.items(), key=lambda of: -of[1])
    }
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
