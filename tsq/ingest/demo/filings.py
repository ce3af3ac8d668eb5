"""Quarterly results of two thirds of the demo market's names; margins tell the quality trait."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path

import numpy as np
import polars as pl

from tsq.ingest.demo.knowledge import FIRST_PROFIT, WRONG_SCALE
from tsq.ingest.demo.market import Array, Ints, Market
from tsq.ingest.demo.plan import Plan
from tsq.ingest.demo.reference import FACE_VALUE_INR

YEARS_BEFORE = 2
TAX_RATE = 0.25
# the one filing that first came out in the wrong unit
WRONG_UNIT = 100.0
CORRECTED_AFTER = timedelta(days=9)
RESTATED_AFTER = timedelta(days=120)

_IST = timezone(timedelta(hours=5, minutes=30))


def write_filings(market: Market, rng: np.random.Generator, folder: Path) -> tuple[Path, ...]:
    """Write fundamentals.csv, times with their +05:30; returns its path."""
    path = folder / "fundamentals.csv"
    path.write_bytes(filings(market, rng).write_csv().encode())
    return (path,)


def filings(market: Market, rng: np.random.Generator) -> pl.DataFrame:
    """Draw the filings, one a name and quarter, two years before the first session included.

    A better quality trait means a higher and steadier operating margin. A quarter is broadcast 30 to 55 days after
    its end, some after the evening's decision. One filing is a hundred times too large and is corrected nine days
    later; `Plan.faults` has more.

    Returns:
        the columns of the fundamentals dataset, amounts in rupees, sorted by broadcast_at and symbol.
    """
    plan, columns = market.plan, np.array(market.plan.filers)
    starts, ends = _quarters(plan)
    shape = (len(ends), len(columns))
    quality = market.quality[columns]
    yearly = market.capital[columns] * np.exp(0.3 * rng.standard_normal(len(columns))) / 4
    growth = np.exp(np.cumsum(0.02 + 0.03 * rng.standard_normal(shape), axis=0))
    revenue = yearly / 4 * growth
    level = 0.16 + 0.05 * quality + 0.03 * rng.standard_normal(len(columns))
    margin = np.clip(level + 0.02 * np.exp(-0.5 * quality) * rng.standard_normal(shape), -0.1, 0.6)
    operating = revenue * margin
    other, interest = 0.01 * revenue, 0.02 * revenue
    before_tax = operating + other - interest
    tax = TAX_RATE * np.maximum(before_tax, 0.0)
    year_end = np.array([end.month == 3 for end in ends])[:, None]
    delay = rng.integers(30, 56, shape)
    minute = rng.integers(11 * 60, 22 * 60, shape)

    rows = []
    for q, c in np.ndindex(shape):
        broadcast = datetime.combine(ends[q], time(), _IST) + timedelta(
            days=int(delay[q, c]), minutes=int(minute[q, c])
        )
        listed = _in_force(plan, broadcast.date(), int(columns[c]))
        if listed is not None:
            rows.append((q, c, int(columns[c]), listed, starts[q], ends[q], broadcast))
    q, c, column, place = (np.array([row[i] for row in rows]) for i in range(4))
    shares, face = _shares_and_face(market)
    paid_up = shares[place, column] * face[place, column]
    net = (before_tax - tax)[q, c]

    def rupees(values: Array) -> Array:
        return np.round(values, -5)

    table = pl.DataFrame(
        {
            "symbol": [plan.symbol_at(row[3], row[2]) for row in rows],
            "isin": [plan.isin_at(row[3], row[2]) for row in rows],
            "period_start": [row[4] for row in rows],
            "period_end": [row[5] for row in rows],
            "consolidated": [True] * len(rows),
            "broadcast_at": [row[6].isoformat(sep=" ") for row in rows],
            "revenue_inr": rupees(revenue[q, c]),
            "operating_profit_inr": rupees(operating[q, c]),
            "other_income_inr": rupees(other[q, c]),
            "interest_inr": rupees(interest[q, c]),
            "tax_inr": rupees(tax[q, c]),
            "net_profit_inr": rupees(net),
            "eps_inr": np.round(net / shares[place, column], 2),
            "paid_up_capital_inr": rupees(paid_up),
            "face_value_inr": face[place, column],
            "equity_inr": rupees(yearly[c] * 2 + 3 * net),
            "assets_inr": rupees(yearly[c] * 4 * growth[q, c]),
            "cfo_inr": rupees(4 * (operating - tax)[q, c]),
        }
    ).with_columns(pl.when(pl.Series(year_end[q, 0])).then(pl.col("cfo_inr")).alias("cfo_inr"))
    return _with_faults(table, plan, column).sort("broadcast_at", "symbol")


def _quarters(plan: Plan) -> tuple[list[date], list[date]]:
    months = np.arange(
        f"{plan.size.first.year - YEARS_BEFORE}-01", f"{plan.size.last.year + 1}-01", 3, dtype="datetime64[M]"
    )
    starts = [month.astype("datetime64[D]").item() for month in months]
    ends = [(month + 3).astype("datetime64[D]").item() - timedelta(days=1) for month in months]
    return starts, ends


def _in_force(plan: Plan, day: date, column: int) -> int | None:
    """Find the session whose symbol and ISIN a filing of `day` carries; None when it is not listed then."""
    row = int(np.searchsorted(plan.sessions, np.datetime64(day), side="right")) - 1
    if row > plan.last_row[column] or day > plan.size.last:
        return None
    if row < plan.first_row[column]:
        return 0 if plan.first_row[column] == 0 else None
    return row


def _shares_and_face(market: Market) -> tuple[Array, Array]:
    """Count shares and say their face value in rupees, (sessions, securities); splits and bonuses change them."""
    plan = market.plan
    first = market.close[plan.first_row, np.arange(market.close.shape[1])]
    shares = np.broadcast_to(np.round(market.capital / first, -3), market.close.shape).copy()
    face = np.full(market.close.shape, FACE_VALUE_INR)
    for action in plan.actions:
        if action.status == "confirmed" and action.kind in ("split", "bonus"):
            shares[action.row :, action.column] /= action.price_factor
        if action.kind == "split":
            face[action.row :, action.column] *= action.price_factor
    return shares, face


def _with_faults(table: pl.DataFrame, plan: Plan, column: Ints) -> pl.DataFrame:
    """File some results wrong: put right days later, put right months later, or never."""
    faults = plan.faults
    amounts = [name for name in table.columns if name.endswith("_inr") and name not in ("face_value_inr", "eps_inr")]
    profits = ["operating_profit_inr", "tax_inr", "net_profit_inr", "eps_inr"]
    planted: list[tuple[tuple[int, int], list[str], float, timedelta | None]] = [
        (plan.restated, amounts, WRONG_UNIT, CORRECTED_AFTER)
    ]
    planted += [(fault, profits, FIRST_PROFIT, RESTATED_AFTER) for fault in faults.restated]
    planted += [(fault, amounts, WRONG_SCALE, None) for fault in faults.wrong_scale]
    planted += [(fault, ["paid_up_capital_inr"], 0.0, None) for fault in faults.no_capital]
    filed, place = table.with_row_index("place"), np.arange(len(table))
    later = []
    for (security, row), names, factor, after in planted:
        at = place[(column == security) & (table["broadcast_at"].to_numpy() < f"{plan.day(row)}")][-1]
        if after is not None:
            broadcast = datetime.fromisoformat(table["broadcast_at"][int(at)]) + after
            later.append(table[int(at)].with_columns(pl.lit(broadcast.isoformat(sep=" ")).alias("broadcast_at")))
        wrong = pl.when(pl.col("place") == at).then(pl.col(names) * factor).otherwise(pl.col(names))
        filed = filed.with_columns(wrong)
    return pl.concat([filed.drop("place"), *later])
