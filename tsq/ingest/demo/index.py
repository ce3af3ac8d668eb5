"""The demo market's index: the 100 most traded shares, weighted by a proxy of their capital."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from tsq.ingest.demo.knowledge import INDEX_MISPRINT, published
from tsq.ingest.demo.market import Array, Market
from tsq.ingest.demo.plan import Flags, Plan

INDEX_NAME = "Demo 100"
MEMBERS = 100
BASE_LEVEL = 10_000.0
# members are chosen on half a year of turnover to the end of January and July, named four weeks ahead, and change
# with the first session of April and October
_CUTOFF_MONTH = {4: 1, 10: 7}
_NOTICE = timedelta(days=28)
_HALF_YEAR = 126


def write_index(market: Market, folder: Path) -> tuple[Path, ...]:
    """Write index_levels.csv (a price index), its corrections and index_members.csv; returns their paths."""
    member = memberships(market)
    levels = _levels(market, member)
    tables = {
        "index_levels.csv": _first_told(market.plan, levels),
        "corrected_index_levels.csv": _corrected(market.plan, levels),
        "index_members.csv": _members(market, member),
    }
    for name, table in tables.items():
        (folder / name).write_bytes(table.write_csv().encode())
    return tuple(folder / name for name in tables)


def memberships(market: Market) -> Flags:
    """Say which security is in the index when, (sessions, securities); a name that stops trading is out."""
    plan = market.plan
    rows = np.arange(len(plan.sessions))
    equity = np.array([kind == "equity" for kind in plan.kinds])
    months = plan.sessions.astype("datetime64[M]")
    turnover = np.where(plan.traded, market.turnover, 0.0)
    member = np.zeros(plan.traded.shape, dtype=np.bool_)
    # the first list ranks by the turnover that is usual for a name, for want of a past
    member[:, _top(market.usual_turnover, equity & plan.traded[0])] = True
    for row in np.flatnonzero(months[1:] != months[:-1]) + 1:
        day = plan.day(int(row))
        if day.month in _CUTOFF_MONTH:
            cutoff = int(np.searchsorted(plan.sessions, np.datetime64(date(day.year, _CUTOFF_MONTH[day.month] + 1, 1))))
            past = turnover[max(cutoff - _HALF_YEAR, 0) : cutoff].sum(axis=0)
            member[row:] = False
            member[row:, _top(past, equity & (past > 0) & (plan.last_row >= row))] = True
    alive = (rows[:, None] >= plan.first_row) & (rows[:, None] <= plan.last_row)
    return member & alive


def _top(turnover: Array, eligible: Flags) -> Flags:
    order = np.argsort(np.where(eligible, -turnover, np.inf), kind="stable")
    chosen = np.zeros(len(turnover), dtype=np.bool_)
    chosen[order[: min(MEMBERS, int(eligible.sum()))]] = True
    return chosen


def _levels(market: Market, member: Flags) -> pl.DataFrame:
    plan = market.plan
    # a price index falls with a dividend, but not with a split, a bonus or a rights issue
    adjustment = np.ones_like(market.close)
    for action in plan.actions:
        if action.status == "confirmed" and action.kind != "dividend":
            adjustment[action.row :, action.column] *= action.price_factor
    value = market.close / adjustment
    before = market.prev_close[1:] / adjustment[:-1]
    moved = np.where(plan.traded[1:], value[1:] / before - 1, 0.0)
    weight = market.capital * before / value[plan.first_row, np.arange(value.shape[1])] * member[1:]
    ret = np.concatenate([[0.0], (weight * moved).sum(axis=1) / weight.sum(axis=1)])
    close = np.round(BASE_LEVEL * np.cumprod(1 + ret), 2)
    opened = np.round(close * (1 - 0.7 * ret), 2)
    return pl.DataFrame(
        {
            "date": plan.sessions,
            "index_name": [INDEX_NAME] * len(close),
            "kind": ["price"] * len(close),
            "open": opened,
            "high": np.round(np.maximum(opened, close) * 1.002, 2),
            "low": np.round(np.minimum(opened, close) * 0.998, 2),
            "close": close,
        }
    )


def _first_told(plan: Plan, levels: pl.DataFrame) -> pl.DataFrame:
    wrong = pl.col("date").is_in([plan.day(c.row) for c in plan.faults.index_levels])
    prices = ["open", "high", "low", "close"]
    return levels.with_columns(
        pl.when(wrong).then((pl.col(prices) * INDEX_MISPRINT).round(2)).otherwise(pl.col(prices))
    )


def _corrected(plan: Plan, levels: pl.DataFrame) -> pl.DataFrame:
    known = {plan.day(c.row): published(plan, c.known) for c in plan.faults.index_levels}
    right = levels.filter(pl.col("date").is_in(list(known)))
    return right.with_columns(pl.Series("known_at", [known[day] for day in right["date"]], dtype=pl.String))


def _members(market: Market, member: Flags) -> pl.DataFrame:
    plan, n_sessions = market.plan, len(member)
    edges = np.diff(np.pad(member, ((1, 1), (0, 0))).astype(np.int8), axis=0)
    rows = []
    for column in np.flatnonzero(member.any(axis=0)):
        ins, outs = np.flatnonzero(edges[:, column] == 1), np.flatnonzero(edges[:, column] == -1)
        for start, end in zip(ins.tolist(), outs.tolist(), strict=True):
            since, until = plan.day(start), plan.day(end) if end < n_sessions else None
            # nobody announces a death four weeks before
            notice = _NOTICE if end <= plan.last_row[column] else timedelta(0)
            symbol = plan.symbol_at(start, int(column))
            rows.append((INDEX_NAME, symbol, since, until, since - _NOTICE, until and until - notice))
    schema = {
        "index_name": pl.String,
        "symbol": pl.String,
        "valid_from": pl.Date,
        "valid_to": pl.Date,
        "announced_on": pl.Date,
        "exit_announced_on": pl.Date,
    }
    return pl.DataFrame(rows, schema=schema, orient="row").sort("symbol", "valid_from")
