"""An account at a simulated broker of the demo market: a year of trades, contract notes and statements, with faults.

Somebody follows a paper portfolio by hand: at each month's end a list of names by momentum and calm, bought and sold in
the next session in a few trades each, near its open, never outside its range. No model's decision is looked at, so the
account resembles the paper book without being it. Nothing here feeds back into the market.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from tsq.ingest.demo.knowledge import published
from tsq.ingest.demo.market import MONTH, TICK_INR, YEAR, Array, Ints, Market
from tsq.ingest.demo.plan import SERIES, Event, Plan

ACCOUNT = "DM0001"
CAPITAL_INR = 2_500_000.0
MOST_NAMES = 25
MONTHS = 12
LEAST_TURNOVER_INR, LEAST_PRICE_INR = 1e7, 10.0
# an order this small a part of a position is not worth a trade
IDLE = 0.1
# how far from the open trades are made, as a ratio: on average, and how widely
DRAG, SCATTER = 0.0008, 0.002

# Charges of delivery trades in 2023 as ratios of the value: before and from 1 April (NSE/FA/56129, NSE/FA/61137).
_STT, _STAMP, _SEBI, _GST = 1e-3, 1.5e-4, 1e-6, 0.18
_EXCHANGE, _IPFT = (3.45e-5, 3.25e-5), (1e-9, 1e-6)
_NEW_FEES = np.datetime64("2023-04-01")


@dataclass(frozen=True)
class Account:
    """What the broker reports: a table for each file, by file name, and what is wrong in them."""

    tables: dict[str, pl.DataFrame]
    events: tuple[Event, ...]


@dataclass(frozen=True)
class _Deal:
    """One trade: session, security, 1 or -1, shares, rupees a share, and its numbers."""

    row: int
    column: int
    side: int
    qty: int
    price: float
    trade_id: str
    order_id: str
    at: datetime


@dataclass
class _Hand:
    """Who follows the portfolio: shares and cash so far, the trades made, and what was held at the ends of days."""

    shares: Ints
    cash: float
    trades: list[_Deal]
    statements: list[tuple[int, Ints]]


def write_account(market: Market, rng: np.random.Generator, folder: Path) -> tuple[Path, ...]:
    """Write the broker's files: a tradebook in two parts, late and corrected trades, contract notes, statements."""
    tables = account(market, rng).tables
    for name, table in tables.items():
        (folder / name).write_bytes(table.write_csv().encode())
    return tuple(folder / name for name in tables)


def account(market: Market, rng: np.random.Generator) -> Account:
    """Trade a year and report it; consumes `rng`.

    Faults: a trade with a comma of the price misplaced, corrected later; one reported days late; one of a symbol that
    nobody bears; one without shares; one written twice; a month that is in both parts of the tradebook; a contract note
    with twice the transaction tax; a statement that lacks a name.
    """
    plan = market.plan
    ends = [int(row) for row in _month_ends(plan)][-MONTHS - 1 : -1]
    hand = _Hand(np.zeros(len(plan.kinds), np.int64), CAPITAL_INR, [], [])
    for row in range(ends[0], ends[-1] + 2):
        if row:
            _corporate_actions(hand, plan, row)
        if row - 1 in ends:
            _trade(hand, market, row - 1, rng)
        if row in ends[1:]:
            hand.statements.append((row, hand.shares.copy()))
    return _report(market, hand, ends)


def _month_ends(plan: Plan) -> Ints:
    months = plan.sessions.astype("datetime64[M]")
    return np.flatnonzero(months[1:] != months[:-1])


def _corporate_actions(hand: _Hand, plan: Plan, row: int) -> None:
    """Splits and bonuses of the morning; fractions are lost."""
    for action in plan.actions:
        if action.row == row and action.kind in ("split", "bonus") and action.status == "confirmed":
            factor = round(1 / action.price_factor, 6)
            hand.shares[action.column] = int(hand.shares[action.column] * factor + 1e-9)


def _wanted(market: Market, row: int) -> Ints:
    """The names of the list of an evening, by number: the better half by momentum and calm, at most MOST_NAMES."""
    plan, n = market.plan, market.plan.size.equities
    value = np.log(market.close[row - YEAR : row + 1, :n] / market.adjustment[row - YEAR : row + 1, :n])
    daily = np.diff(value, axis=0)
    downside = np.sqrt(np.mean(np.minimum(daily, 0.0) ** 2, axis=0))
    turnover = np.where(plan.traded[row - 60 : row, :n], market.turnover[row - 60 : row, :n], 0.0).mean(axis=0)
    fit = plan.traded[row - YEAR : row + 1, :n].mean(axis=0) > 0.95
    fit &= plan.traded[row, :n] & (turnover >= LEAST_TURNOVER_INR) & (market.close[row, :n] >= LEAST_PRICE_INR)
    score = _ranks(value[-1 - MONTH] - value[0]) + _ranks(-downside)
    best = np.argsort(np.where(fit, -score, np.inf), kind="stable")
    return np.sort(best[: min(MOST_NAMES, int(fit.sum()) // 2)])


def _ranks(values: Array) -> Ints:
    ranks: Ints = values.argsort(kind="stable").argsort(kind="stable")
    return ranks


def _trade(hand: _Hand, market: Market, row: int, rng: np.random.Generator) -> None:
    """Carry out the list of evening `row` in the next session, sells first, buys while there is cash."""
    plan, close = market.plan, market.close[row]
    names = _wanted(market, row)
    value = hand.cash + float((hand.shares * close).sum())
    target = np.zeros_like(hand.shares)
    target[names] = np.floor(0.98 * value / len(names) / close[names]).astype(np.int64)
    change = target - hand.shares
    idle = np.abs(change) < IDLE * np.maximum(target, hand.shares)
    change[idle | ~plan.traded[row + 1]] = 0
    for column in (*np.flatnonzero(change < 0), *np.flatnonzero(change > 0)):
        shares, price = int(change[column]), float(market.open[row + 1, column])
        if shares > 0:
            shares = min(shares, int(hand.cash / (1.01 * price)))
        if shares:
            _order(hand, market, row + 1, int(column), shares, rng)


def _order(hand: _Hand, market: Market, row: int, column: int, shares: int, rng: np.random.Generator) -> None:
    plan, side = market.plan, 1 if shares > 0 else -1
    parts = _parts(abs(shares), int(rng.integers(1, 4)), rng)
    entered = datetime.combine(plan.day(row), time(9, 15)) + timedelta(seconds=int(rng.integers(0, 1800)))
    order_id = f"{plan.day(row):%y%m%d}{1_000_000 + len(hand.trades)}"
    for at, part in enumerate(parts):
        drift = side * DRAG + SCATTER * float(rng.standard_normal())
        price = _tick(float(market.open[row, column]) * (1 + drift))
        price = min(max(price, float(market.low[row, column])), float(market.high[row, column]))
        entered += timedelta(seconds=int(rng.integers(1, 400)) * (at > 0))
        hand.shares[column] += side * part
        hand.cash -= side * part * price * (1 + side * 0.0012)
        number = str(70_000_000 + 37 * len(hand.trades))
        hand.trades.append(_Deal(row, column, side, part, price, number, order_id, entered))


def _parts(shares: int, parts: int, rng: np.random.Generator) -> list[int]:
    """Split a number of shares into so many trades, fewer where there are not enough."""
    cuts = sorted({0, shares, *(int(cut) for cut in rng.integers(1, max(shares, 2), parts - 1))})
    return [int(part) for part in np.diff(cuts) if part]


def _tick(price: float) -> float:
    per_rupee = round(1 / TICK_INR)
    return round(price * per_rupee) / per_rupee


def _report(market: Market, hand: _Hand, ends: list[int]) -> Account:
    plan, trades = market.plan, hand.trades
    misprint, late, doubled = trades[len(trades) // 3], trades[len(trades) // 2], trades[2 * len(trades) // 3]
    book = pl.DataFrame([_tradebook_row(plan, trade) for trade in trades if trade is not late], orient="row")
    wrong = pl.col("trade_id") == misprint.trade_id
    book = book.with_columns(pl.when(wrong).then((pl.col("price") * 10).round(2)).otherwise(pl.col("price")))
    extra = [
        _tradebook_row(plan, doubled),
        {**_tradebook_row(plan, doubled), "trade_id": "79999991", "quantity": 0},
        {**_tradebook_row(plan, doubled), "trade_id": "79999992", "symbol": "DMNOBODY", "isin": None},
    ]
    half = plan.day(ends[len(ends) // 2] + 1)
    first = book.filter(pl.col("trade_date") <= half)
    second = pl.concat(
        [book.filter(pl.col("trade_date") >= half), pl.DataFrame(extra, schema=book.schema, orient="row")]
    )
    mended = [
        _own_row(plan, misprint, _known(plan, misprint, 3)),
        _own_row(plan, late, _known(plan, late, 2)),
    ]
    notes = _notes(plan, trades, doubled)
    lines = [line for row, shares in hand.statements for line in _statement(plan, row, shares)]
    lost = lines[len(lines) // 3]
    kept = [line for line in lines if line is not lost]
    last = plan.day(hand.statements[-1][0])
    statements = pl.DataFrame(kept, orient="row")
    tables = {
        f"tradebook-{ACCOUNT}-EQ.csv": first,
        f"tradebook-{ACCOUNT}-EQ-2.csv": second,
        "late_fills.csv": pl.DataFrame(mended, orient="row"),
        "contract_notes.csv": notes,
        "holdings.csv": statements.filter(pl.col("date") < last),
        f"holdings-{ACCOUNT}-{last}.csv": _as_kite(
            market, statements.filter(pl.col("date") == last), hand.statements[-1][0]
        ),
    }
    return Account(tables, _events(plan, misprint, late, doubled, lost))


def _known(plan: Plan, deal: _Deal, sessions: int) -> str:
    return published(plan, deal.row + sessions)


def _tradebook_row(plan: Plan, deal: _Deal) -> dict[str, object]:
    return {
        "symbol": plan.symbol_at(deal.row, deal.column),
        "isin": plan.isin_at(deal.row, deal.column),
        "trade_date": plan.day(deal.row),
        "exchange": "NSE",
        "segment": "EQ",
        "series": SERIES[int(plan.series[deal.row, deal.column])],
        "trade_type": "buy" if deal.side == 1 else "sell",
        "auction": "false",
        "quantity": deal.qty,
        "price": deal.price,
        "trade_id": deal.trade_id,
        "order_id": deal.order_id,
        "order_execution_time": f"{deal.at:%Y-%m-%dT%H:%M:%S}",
    }


def _own_row(plan: Plan, deal: _Deal, known_at: str) -> dict[str, object]:
    told = _tradebook_row(plan, deal)
    return {
        "account": ACCOUNT,
        "date": told["trade_date"],
        "executed_at": f"{deal.at:%Y-%m-%d %H:%M:%S}+05:30",
        **{name: told[name] for name in ("symbol", "isin", "series", "exchange")},
        "side": told["trade_type"],
        "qty": deal.qty,
        **{name: told[name] for name in ("price", "trade_id", "order_id")},
        "known_at": known_at,
    }


def _notes(plan: Plan, trades: list[_Deal], doubled: _Deal) -> pl.DataFrame:
    """One note a day, charges to the paisa but the transaction tax to the rupee, as brokers print them."""
    rows = []
    for row in sorted({deal.row for deal in trades}):
        day = [deal for deal in trades if deal.row == row]
        bought, sold = (sum(deal.qty * deal.price for deal in day if deal.side == side) for side in (1, -1))
        both = bought + sold
        era = int(plan.sessions[row] >= _NEW_FEES)
        exchange, ipft, sebi = both * _EXCHANGE[era], both * _IPFT[era], both * _SEBI
        stt = round(both * _STT) * (2 if row == doubled.row else 1)
        charges = {
            "exchange_inr": round(exchange, 2),
            "ipft_inr": round(ipft, 2),
            "sebi_inr": round(sebi, 2),
            "stt_inr": float(stt),
            "stamp_inr": round(bought * _STAMP, 2),
            "gst_inr": round(_GST * (exchange + ipft + sebi), 2),
        }
        rows.append(
            {
                "account": ACCOUNT,
                "date": plan.day(row),
                "note_no": f"CN{plan.day(row):%Y%m%d}",
                "bought_inr": round(bought, 2),
                "sold_inr": round(sold, 2),
                "brokerage_inr": 0.0,
                **charges,
                "net_inr": round(sold - bought - sum(charges.values()), 2),
            }
        )
    return pl.DataFrame(rows, orient="row")


def _statement(plan: Plan, row: int, shares: Ints) -> list[dict[str, object]]:
    return [
        {
            "account": ACCOUNT,
            "date": plan.day(row),
            "symbol": plan.symbol_at(row, column),
            "isin": plan.isin_at(row, column),
            "qty": int(shares[column]),
        }
        for column in map(int, np.flatnonzero(shares))
    ]


def _as_kite(market: Market, lines: pl.DataFrame, row: int) -> pl.DataFrame:
    """The same in the broker's own columns, which have neither account nor day: the file's name has."""
    plan = market.plan
    price = {plan.symbol_at(row, c): float(market.close[row, c]) for c in range(len(plan.kinds))}
    return pl.DataFrame(
        {
            "Instrument": lines["symbol"],
            "Qty.": lines["qty"],
            "Avg. cost": [price[symbol] for symbol in lines["symbol"]],
            "LTP": [price[symbol] for symbol in lines["symbol"]],
            "Cur. val": [
                round(qty * price[symbol], 2) for qty, symbol in zip(lines["qty"], lines["symbol"], strict=True)
            ],
        }
    )


def _events(plan: Plan, misprint: _Deal, late: _Deal, doubled: _Deal, lost: dict[str, object]) -> tuple[Event, ...]:
    def of(kind: str, deal: _Deal, detail: str) -> Event:
        return Event(kind, plan.day(deal.row), plan.symbol_at(deal.row, deal.column), detail)

    held_on = date.fromisoformat(str(lost["date"]))
    corrected, reported = _known(plan, misprint, 3)[:10], _known(plan, late, 2)[:10]
    return (
        of("broker_double_tax", doubled, "the day's contract note has twice the transaction tax"),
        of("broker_late_fill", late, f"reported on {reported}"),
        Event("broker_lost_holding", held_on, str(lost["symbol"]), "held, but not in the statement"),
        of("broker_misprint", misprint, f"reported at ten times its price, corrected on {corrected}"),
        of("broker_repeated_fill", doubled, "written twice in one file"),
        Event("broker_unknown_symbol", plan.day(doubled.row), "DMNOBODY", "a trade in a name nobody bears"),
        of("broker_void_fill", doubled, "a trade of no shares"),
    )
