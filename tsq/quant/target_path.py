"""The path of a portfolio's own targets: tables in, one decision after another, rows out."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tsq.quant.decision import CONVICTION, FALLBACK, Beside, Core, Decision, Held, Terms, decide, drift
from tsq.quant.windows import Windows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Key = tuple[Any, ...]

UNLABELLED = "unlabelled"
HORIZON = {"WE": 5, "ME": 21, "QE": 63}  # sessions until the next decision
EXPOSURES = ("beta", "size", "momentum")
TARGETS = {
    "date": pl.Date,
    "portfolio": pl.String,
    "security_id": pl.Int64,
    "ticker": pl.String,
    "sleeve": pl.String,
    "sector": pl.String,
    "weight": pl.Float64,
    "drifted": pl.Float64,
    "method": pl.String,
    "solver_status": pl.String,
    "gap": pl.Float64,
    "relaxed": pl.String,
    "turnover": pl.Float64,
    "reason": pl.String,
}


@dataclass(frozen=True)
class Path:
    """Where a portfolio's targets stand after a decision.

    Attributes:
        value: capital at inception, grown by the targets' own returns, before costs; rupees.
        held: weights of the last decision.
        date: that decision; None before the first.
        names: ticker and sector of names as last seen.
    """

    value: float
    held: Mapping[int, Held] = field(default_factory=dict)
    date: dt.date | None = None
    names: Mapping[int, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Grown:
    """What became of names between two decisions: what a rupee in each is worth, and its ticker now."""

    growth: Mapping[int, float]
    tickers: Mapping[int, str]


def groups(
    names: pl.DataFrame, capacity: pl.DataFrame, order: str, codes: Mapping[str, int]
) -> dict[Key, pl.DataFrame]:
    """Split names by date and portfolio, each in an order, with the largest position and the sector's code of each.

    Args:
        names: candidates, or names of other sleeves.
        capacity: portfolio.capacity.
        order: the column that orders them.
        codes: of sectors; others get −1.

    Returns:
        Tables in which what is not known is NaN, and what has no limit is inf.
    """
    keys = ["date", "portfolio", "security_id"]
    joined = names.join(capacity.select(*keys, "max_position_inr"), on=keys, how="left")
    known = [pl.col(name).cast(pl.Float64).fill_null(math.nan) for name in EXPOSURES if name in names.columns]
    wanted = [pl.col("wanted").cast(pl.Float64).fill_null(math.inf)] if "wanted" in names.columns else []
    laid = joined.with_columns(
        *known,
        *wanted,
        max_position_inr=pl.col("max_position_inr").cast(pl.Float64).fill_null(math.inf),
        code=pl.col("sector").replace_strict(dict(codes), default=-1, return_dtype=pl.Int64),
    )
    return laid.sort("date", "portfolio", order, "security_id").partition_by("date", "portfolio", as_dict=True)


def grown_of(growth: pl.DataFrame) -> dict[Key, Grown]:
    """Lay portfolio.growth out by the two decisions it lies between."""
    out = {}
    for between, table in growth.partition_by("since_date", "date", as_dict=True).items():
        ids = table["security_id"].to_list()
        moved, tickers = table["growth"].to_list(), table["ticker"].to_list()
        out[between] = Grown(dict(zip(ids, moved, strict=True)), dict(zip(ids, tickers, strict=True)))
    return out


def codes_of(candidates: pl.DataFrame, sleeves: pl.DataFrame, *, cap_unlabelled: bool) -> dict[str, int]:
    """Number the sectors a cap counts, from 0."""
    labels = pl.concat([candidates["sector"], sleeves["sector"]]).unique().sort().to_list()
    return {label: code for code, label in enumerate(one for one in labels if cap_unlabelled or one != UNLABELLED)}


def windows_of(returns: pl.DataFrame | None) -> Windows:
    """Lay the returns of one decision out.

    Args:
        returns: security_id, session_no, ret; None where nobody looks at any.
    """
    if returns is None:
        return Windows(np.zeros(0, np.int64), np.zeros((0, 0)))
    ids, column = np.unique(returns["security_id"].to_numpy(), return_inverse=True)
    sessions, row = np.unique(returns["session_no"].to_numpy(), return_inverse=True)
    out = np.full((len(sessions), len(ids)), np.nan)
    out[row, column] = returns["ret"].to_numpy()
    return Windows(ids, out)


def terms_of(row: Mapping[str, Any], *, trade_cost: float, alpha_ic: float) -> Terms:
    """Read what a row of config.portfolios asks for."""

    def edge(name: str, without: float) -> float:
        return without if row[name] is None else float(row[name])

    return Terms(
        optimiser=row["optimiser"],
        top_n=row["top_n"],
        name_cap=row["name_cap"],
        sector_cap=row["sector_cap"],
        look_back=row["look_back_sessions"],
        cash_buffer=row["cash_buffer"],
        conviction_cap=row["conviction_cap"],
        turnover_cap=row["turnover_cap"],
        risk_aversion=row["risk_aversion"],
        exit_rank=row["exit_rank"],
        incumbent_bonus=row["incumbent_bonus"],
        no_trade_band=row["no_trade_band"],
        min_weight=row["min_weight"],
        max_correlation=row["max_correlation"],
        exposures_low=tuple(edge(f"{name}_low", -math.inf) for name in EXPOSURES),
        exposures_high=tuple(edge(f"{name}_high", math.inf) for name in EXPOSURES),
        trade_cost=trade_cost,
        alpha_ic=alpha_ic,
        horizon=HORIZON[row["rebalance"]],
    )


def step(
    path: Path,
    settings: Mapping[str, Any],
    date: dt.date,
    core: pl.DataFrame | None,
    others: pl.DataFrame | None,
    windows: Windows,
    grown: Mapping[Key, Grown],
    n_sectors: int,
    *,
    trade_cost: float,
    alpha_ic: float,
) -> tuple[Path, dict[str, list[Any]]]:
    """Take one decision of one portfolio.

    Args:
        path: after the decision before.
        settings: row of config.portfolios.
        date: of the decision.
        core: its candidates, best first, as of `groups`; None without any.
        others: names of its other sleeves, in the order they are filled; None without any.
        windows: returns known at the decision.
        grown: see `grown_of`.
        n_sectors: sectors that have codes.
        trade_cost: of one unit of weight traded, ratio.
        alpha_ic: see `Terms`.

    Returns:
        The path after it, and its rows, columns as `TARGETS`.
    """
    since = grown.get((path.date, date), Grown({}, {}))
    held, total = drift(path.held, since.growth)
    value = path.value * total
    names = {name: (since.tickers.get(name, ticker), sector) for name, (ticker, sector) in path.names.items()}
    for table in (core, others):
        if table is not None:
            told = zip(table["ticker"].to_list(), table["sector"].to_list(), strict=True)
            names |= dict(zip(table["security_id"].to_list(), told, strict=True))
    decision = decide(
        terms_of(settings, trade_cost=trade_cost, alpha_ic=alpha_ic),
        _core(core, value),
        _beside(others, CONVICTION, value),
        _beside(others, FALLBACK, value),
        held,
        windows,
        n_sectors,
    )
    now = zip(decision.ids.tolist(), decision.weights.tolist(), decision.sleeves, strict=True)
    kept = {name: Held(weight, sleeve) for name, weight, sleeve in now if weight > 0.0}
    after = Path(value, kept, date, {name: names[name] for name in kept})
    return after, _rows(settings, date, decision, names)


def _rows(
    settings: Mapping[str, Any], date: dt.date, decision: Decision, names: Mapping[int, tuple[str, str]]
) -> dict[str, list[Any]]:
    ids = decision.ids.tolist()
    n = len(ids)
    return {
        "date": [date] * n,
        "portfolio": [settings["portfolio"]] * n,
        "security_id": ids,
        "ticker": [names[name][0] for name in ids],
        "sleeve": list(decision.sleeves),
        "sector": [names[name][1] for name in ids],
        "weight": decision.weights.tolist(),
        "drifted": decision.drifted.tolist(),
        "method": [settings["optimiser"]] * n,
        "solver_status": [decision.status] * n,
        "gap": [decision.gap] * n,
        "relaxed": [",".join(decision.relaxed) or None] * n,
        "turnover": [decision.turnover] * n,
        "reason": list(decision.reasons),
    }


def targets_table(decisions: list[dict[str, list[Any]]]) -> pl.DataFrame:
    """Write the rows of decisions as one table, columns as `TARGETS`."""
    columns = {name: [value for rows in decisions for value in rows[name]] for name in TARGETS}
    return pl.DataFrame(columns, schema=TARGETS).sort("date", "portfolio", "security_id")


def _core(table: pl.DataFrame | None, value: float) -> Core:
    if table is None:
        nothing = np.zeros(0)
        return Core(nothing.astype(np.int64), nothing, nothing, nothing.astype(np.int64), nothing, np.zeros((3, 0)))
    return Core(
        table["security_id"].to_numpy(),
        table["score"].to_numpy(),
        table["standing"].to_numpy(),
        table["code"].to_numpy(),
        table["max_position_inr"].to_numpy() / value,
        np.array([table[name].to_numpy() for name in EXPOSURES]),
    )


def _beside(table: pl.DataFrame | None, sleeve: str, value: float) -> Beside:
    if table is None:
        return Beside(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64), np.zeros(0))
    own = table.filter(pl.col("sleeve") == sleeve)
    capacity = own["max_position_inr"].to_numpy() / value
    return Beside(own["security_id"].to_numpy(), own["wanted"].to_numpy(), own["code"].to_numpy(), capacity)
