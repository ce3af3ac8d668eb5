"""What the difference of two builds means in money: key figures, target weights, trades, final value.

It reads public tables by name, from both builds side by side; what one of them does not have is said, not guessed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tsq.engine.diff import Types, column_types
from tsq.engine.warehouse import Connection

NEEDS = {
    "kpis.summary": ("portfolio", "basis", "window", "kpi", "value", "unit"),
    "portfolio.targets": ("date", "portfolio", "security_id", "ticker", "weight"),
    "book.trades": ("date", "portfolio", "security_id", "ticker", "side", "qty", "value_inr"),
    "book.nav": ("date", "portfolio", "basis", "value_inr"),
}
# Values of equal trades may differ by what adding them up in another order does to the last digits.
_SAME_VALUE = 1e-9


@dataclass(frozen=True)
class Figure:
    """A key figure that is another one in B; null where a build does not have it."""

    portfolio: str
    basis: str
    window: str
    kpi: str
    unit: str
    a: float | None
    b: float | None
    difference: float | None


@dataclass(frozen=True)
class Weights:
    """How far apart the target weights of a portfolio are, on the newest date both builds have.

    Attributes:
        turnover: half the sum of absolute differences over names: the share of the portfolio to be traded to get from
            A's weights to B's; null where there is no common date.
        entering: tickers of B only, the largest weight first; leaving: of A only.
    """

    portfolio: str
    date: dt.date | None
    newest_a: dt.date | None
    newest_b: dt.date | None
    turnover: float | None
    entering: tuple[str, ...]
    leaving: tuple[str, ...]


@dataclass(frozen=True)
class Trade:
    """What a portfolio trades of one name in one session on one side; null in the build that does not."""

    date: dt.date
    portfolio: str
    security_id: int
    ticker: str
    side: str
    qty_a: int | None
    qty_b: int | None
    value_a_inr: float | None
    value_b_inr: float | None


@dataclass(frozen=True)
class Trades:
    """Trades of a portfolio that differ in one way, and what they are worth.

    Attributes:
        way: only_a, only_b, other_qty, or other_price (the same quantity).
        newest: some of them, the newest first.
    """

    portfolio: str
    way: str
    count: int
    value_a_inr: float
    value_b_inr: float
    newest: tuple[Trade, ...]


@dataclass(frozen=True)
class FinalValue:
    """Value of a portfolio on the newest date both builds have."""

    portfolio: str
    basis: str
    date: dt.date
    a_inr: float
    b_inr: float
    difference_inr: float


@dataclass(frozen=True)
class Money:
    """All of it; `missing` says what could not be told, and why."""

    figures: tuple[Figure, ...] = ()
    weights: tuple[Weights, ...] = ()
    trades: tuple[Trades, ...] = ()
    final: tuple[FinalValue, ...] = ()
    missing: tuple[str, ...] = ()


def compare(con: Connection, tables: Iterable[str], examples: int = 3, tolerance: float = 0.0) -> Money:
    """Compare two builds in money.

    Args:
        con: both builds, as `warehouse.open_pair` opens them.
        tables: tables to look at, of those in `NEEDS`; others are passed over.
        examples: trades to show of each kind.
        tolerance: figures that differ by no more than this, or this share of the larger, are equal.
    """
    types = {side: column_types(con, side) for side in "ab"}
    lacks = {table: _lacking(table, types) for table in NEEDS if table in set(tables)}
    ready = {table for table, lack in lacks.items() if lack is None}
    return Money(
        _figures(con, tolerance) if "kpis.summary" in ready else (),
        _weights(con) if "portfolio.targets" in ready else (),
        _trades(con, examples) if "book.trades" in ready else (),
        _final(con) if "book.nav" in ready else (),
        tuple(lack for lack in lacks.values() if lack),
    )


def _lacking(table: str, types: Mapping[str, Types]) -> str | None:
    for side in "ab":
        if table not in types[side]:
            return f"{table} is not in {side.upper()}"
    for side in "ab":
        for column in NEEDS[table]:
            if column not in types[side][table]:
                return f"{table} of {side.upper()} has no column {column}"
    return None


def _figures(con: Connection, tolerance: float) -> tuple[Figure, ...]:
    rows = con.execute(
        f"""
        select portfolio, basis, "window", kpi, coalesce(b.unit, a.unit), a.value, b.value, b.value - a.value
        from a.kpis.summary as a full join b.kpis.summary as b using (portfolio, basis, "window", kpi)
        where a.value is distinct from b.value
            and not coalesce(abs(b.value - a.value) <= {tolerance!r} * greatest(1.0, abs(a.value), abs(b.value)), false)
        order by portfolio, basis, "window" != 'full', "window", kpi
        """
    ).fetchall()
    return tuple(Figure(*row) for row in rows)


def _weights(con: Connection) -> tuple[Weights, ...]:
    rows = con.execute(
        """
        with dates as (
            select
                portfolio,
                max(date) filter (in_a and in_b) as date,
                max(date) filter (in_a) as newest_a,
                max(date) filter (in_b) as newest_b,
            from (
                select portfolio, date, bool_or(side = 'a') as in_a, bool_or(side = 'b') as in_b
                from (
                    select portfolio, date, 'a' as side from a.portfolio.targets
                    union all
                    select portfolio, date, 'b' as side from b.portfolio.targets
                )
                group by portfolio, date
            )
            group by portfolio
        ),
        wanted_a as (select a.* from a.portfolio.targets as a semi join dates using (portfolio, date)),
        wanted_b as (select b.* from b.portfolio.targets as b semi join dates using (portfolio, date)),
        paired as (
            select
                portfolio,
                security_id,
                coalesce(b.ticker, a.ticker) as ticker,
                coalesce(a.weight, 0.0) as weight_a,
                coalesce(b.weight, 0.0) as weight_b,
            from wanted_a as a full join wanted_b as b using (portfolio, date, security_id)
        ),
        moved as (
            select
                portfolio,
                sum(abs(weight_b - weight_a) order by security_id) / 2 as turnover,
                list(ticker order by weight_b desc, ticker) filter (weight_a = 0 and weight_b != 0) as entering,
                list(ticker order by weight_a desc, ticker) filter (weight_b = 0 and weight_a != 0) as leaving,
            from paired
            group by portfolio
        )
        select portfolio, date, newest_a, newest_b, turnover, entering, leaving
        from dates left join moved using (portfolio)
        order by portfolio
        """
    ).fetchall()
    return tuple(
        Weights(portfolio, date, newest_a, newest_b, turnover, tuple(entering or ()), tuple(leaving or ()))
        for portfolio, date, newest_a, newest_b, turnover, entering, leaving in rows
    )


def _trades(con: Connection, examples: int) -> tuple[Trades, ...]:
    day = """
        select date, portfolio, security_id, side, any_value(ticker) as ticker, sum(qty)::bigint as qty,
            sum(value_inr order by value_inr) as value_inr
        from {}.book.trades group by date, portfolio, security_id, side
    """
    con.execute(
        f"""
        create or replace temp table traded as
        select date, portfolio, security_id, coalesce(b.ticker, a.ticker) as ticker, side,
            a.qty as qty_a, b.qty as qty_b, a.value_inr as value_a_inr, b.value_inr as value_b_inr,
            case when b.qty is null then 'only_a' when a.qty is null then 'only_b'
                when a.qty != b.qty then 'other_qty' else 'other_price' end as way
        from ({day.format("a")}) as a
        full join ({day.format("b")}) as b using (date, portfolio, security_id, side)
        where a.qty is distinct from b.qty or abs(b.value_inr - a.value_inr) > {_SAME_VALUE} * abs(a.value_inr)
        """
    )
    ways = con.execute(
        "select portfolio, way, count(*), coalesce(fsum(value_a_inr), 0), coalesce(fsum(value_b_inr), 0) from traded "
        "group by portfolio, way order by portfolio, way"
    ).fetchall()
    newest = (
        f"select * exclude (way) from traded where portfolio = ? and way = ? "
        f"order by date desc, greatest(coalesce(value_a_inr, 0), coalesce(value_b_inr, 0)) desc, security_id, side "
        f"limit {int(examples)}"
    )
    found = []
    for portfolio, way, count, value_a, value_b in ways:
        rows = con.execute(newest, [portfolio, way]).fetchall()
        found.append(Trades(portfolio, way, count, value_a, value_b, tuple(Trade(*row) for row in rows)))
    return tuple(found)


def _final(con: Connection) -> tuple[FinalValue, ...]:
    rows = con.execute(
        """
        with shared as (
            select portfolio, basis, date, a.value_inr as a_inr, b.value_inr as b_inr,
                row_number() over (partition by portfolio, basis order by date desc) as age
            from a.book.nav as a inner join b.book.nav as b using (portfolio, basis, date)
        )
        select portfolio, basis, date, a_inr, b_inr, b_inr - a_inr from shared where age = 1
        order by portfolio, basis desc
        """
    ).fetchall()
    return tuple(FinalValue(*row) for row in rows)
