"""Write the demo market's renames, corporate actions, sectors and listings."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl

from tsq.ingest.demo.calendar import announcements, day_month_year
from tsq.ingest.demo.knowledge import LABEL_SHIFT, published
from tsq.ingest.demo.market import Market
from tsq.ingest.demo.names import SECTORS
from tsq.ingest.demo.plan import Action, Plan

FACE_VALUE_INR = 10.0
EQUITY_L_HEADER = "SYMBOL,NAME OF COMPANY, SERIES, DATE OF LISTING, PAID UP VALUE, MARKET LOT, ISIN NUMBER, FACE VALUE"


def write_reference(market: Market, folder: Path) -> tuple[Path, ...]:
    """Write the lists of renames, listings, actions, sectors, corrected sectors and holidays; returns their paths."""
    plan = market.plan
    lines = {"symbolchange.csv": _symbol_changes(plan), "EQUITY_L.csv": _listings(plan)}
    tables = {
        "corporate_actions.csv": _corporate_actions(market),
        "sector_mapping.csv": _sectors(plan),
        "corrected_sectors.csv": _corrected_sectors(plan),
        "calendar.csv": _calendar(plan),
    }
    for name, text in lines.items():
        (folder / name).write_bytes("".join(f"{line}\n" for line in text).encode())
    for name, table in tables.items():
        (folder / name).write_bytes(table.write_csv().encode())
    return tuple(folder / name for name in (*lines, *tables))


def face_value(plan: Plan, row: int, column: int) -> float:
    """Say a security's face value in session `row`, rupees."""
    value = FACE_VALUE_INR
    for action in plan.actions:
        if action.column == column and action.kind == "split" and action.row <= row:
            value *= action.price_factor
    return value


def _symbol_changes(plan: Plan) -> list[str]:
    """Headerless, with the blank before the company and a row that changes nothing, as in the exchange's own file."""
    changes = [
        f" {plan.companies[column]},{plan.symbol_at(row - 1, column)},{plan.symbol_at(row, column)},"
        f"{day_month_year(plan.day(row)).upper()}"
        for column, row in _renames(plan)
    ]
    idle, row = plan.sector_move
    same = plan.symbol_at(row, idle)
    changes.append(f" {plan.companies[idle]},{same},{same},{day_month_year(plan.day(row)).upper()}")
    return sorted(changes)


def _renames(plan: Plan) -> list[tuple[int, int]]:
    changed = plan.symbol[1:] != plan.symbol[:-1]
    return [(int(column), int(row) + 1) for row, column in zip(*changed.nonzero(), strict=True)]


def _listings(plan: Plan) -> list[str]:
    """The exchange's current list: survivors only, latest symbol and ISIN."""
    last = len(plan.sessions) - 1
    listed = [
        f"{plan.symbol_at(last, c)},{plan.companies[c]},EQ,{day_month_year(_listed_on(plan, c)).upper()},"
        f"{face_value(plan, last, c):g},1,{plan.isin_at(last, c)},{face_value(plan, last, c):g}"
        for c in range(plan.size.equities)
        if plan.last_row[c] == last
    ]
    return [EQUITY_L_HEADER, *sorted(listed)]


def _listed_on(plan: Plan, column: int) -> date:
    # names older than the demo market carry an invented earlier date
    row = int(plan.first_row[column])
    return plan.day(row) if row else plan.day(0) - timedelta(days=400 + 37 * column)


def _corporate_actions(market: Market) -> pl.DataFrame:
    plan = market.plan
    told = [(action, _announced(plan, action)) for action in plan.actions]
    told += [(claim.action, published(plan, claim.announced)) for claim in plan.faults.claims]
    told.sort(key=lambda version: (version[0].row, version[0].column, version[1]))
    return pl.DataFrame([_action_row(market, action, announced) for action, announced in told], orient="row")


def _announced(plan: Plan, action: Action) -> str:
    """When the version of an action that lasts was announced: weeks before, or late by plan."""
    if (action.column, action.row) in plan.faults.announced:
        return published(plan, plan.faults.announced[action.column, action.row])
    day = plan.day(action.row) - timedelta(days=21 + action.column % 14)
    return f"{day} {16 + action.column % 4}:{10 + action.column % 40}:00+05:30"


def _action_row(market: Market, action: Action, announced_at: str) -> dict[str, object]:
    plan, dividend = market.plan, action.kind == "dividend"
    before = float(market.prev_close[action.row, action.column])
    in_shares = action.kind in ("split", "bonus")
    return {
        "symbol": plan.symbol_at(action.row, action.column),
        "isin": plan.isin_at(action.row, action.column),
        "ex_date": plan.day(action.row),
        "kind": action.kind,
        "price_factor": 1.0 if dividend else round(action.price_factor, 6),
        "share_factor": round(1 / action.price_factor, 6) if in_shares else 1.0,
        "cash_inr": round(before * (1 - action.price_factor), 2) if dividend else None,
        "status": action.status,
        "announced_at": announced_at,
        "source": "demo market",
    }


def _sectors(plan: Plan) -> pl.DataFrame:
    """Sectors as seen on the first session of each name: some absent or wrong, one undated, one changed later."""
    wrong = {c.column for c in plan.faults.labels}
    moved, moved_row = plan.sector_move
    rows = [
        (c, int(plan.first_row[c]), int(plan.sector[c]) + (LABEL_SHIFT if c in wrong else 0))
        for c in range(plan.size.equities)
        if c not in plan.unsectored
    ]
    rows.append((moved, moved_row, int(plan.sector[moved]) + 1))
    return _sector_rows(plan, rows).sort("symbol", "seen_on")


def _corrected_sectors(plan: Plan) -> pl.DataFrame:
    faults = plan.faults.labels
    known = pl.Series("known_at", [published(plan, c.known) for c in faults], dtype=pl.String)
    return _sector_rows(plan, [(c.column, c.row, int(plan.sector[c.column])) for c in faults]).with_columns(known)


def _sector_rows(plan: Plan, rows: list[tuple[int, int, int]]) -> pl.DataFrame:
    """Rows of (security, session in which the list was seen, sector)."""
    return pl.DataFrame(
        {
            "symbol": [plan.symbol_at(row, c) for c, row, _ in rows],
            "isin": [plan.isin_at(row, c) for c, row, _ in rows],
            "sector": [SECTORS[sector % len(SECTORS)] for _, _, sector in rows],
            "seen_on": [None if c == plan.undated else plan.day(row) for c, row, _ in rows],
        }
    )


def _calendar(plan: Plan) -> pl.DataFrame:
    said = announcements(plan.size.first, plan.size.last)
    return pl.DataFrame(
        {
            "date": [one.day for one in said],
            "status": [one.status for one in said],
            "name": [one.name for one in said],
            "window_ist": pl.Series([one.window for one in said], dtype=pl.String),
            "announced_at": [f"{one.announced} 17:30:00+05:30" for one in said],
            "source": ["demo market"] * len(said),
        }
    )
