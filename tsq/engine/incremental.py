"""Which sessions of an incremental table new data can touch, and how to compute those and no others.

A row of one session depends on its dated tables `look_back` of their dates back and no further, and, knowing nothing
of the future, on nothing that is dated later. So a change of a dated table in one session touches that session and
the `look_back` dates after it; a change of a table of intervals touches the session in which a row began or ended and
all later ones; a change of any other table touches everything. The model's own text then runs over its dated tables
cut to a window, and only the touched sessions are replaced.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tsq.engine import content
from tsq.engine.compile import Compiled
from tsq.engine.content import Change, Span
from tsq.engine.manifest import BuiltModel
from tsq.engine.plan import Plan
from tsq.engine.sql_error import sql_error
from tsq.engine.template import identifier, literal
from tsq.engine.warehouse import WINDOW, Connection, DatabaseError

# Where more than this share of the sessions is touched, computing all of them is quicker.
MOST = 0.5
# Pieces with fewer sessions than this between them are computed as one: each is a query of its own.
NEAR = 25
LAST = dt.date.max


@dataclass(frozen=True)
class Piece:
    """Sessions to compute again, and the first session of which dated tables must be seen for it."""

    first: dt.date
    last: dt.date
    seen_from: dt.date


@dataclass(frozen=True)
class _Touched:
    bounded: frozenset[dt.date]
    onwards: dt.date | None


def pieces(
    con: Connection, plan: Plan, done: BuiltModel, record: BuiltModel, changes: Mapping[str, Change]
) -> tuple[Piece, ...] | None:
    """Find the sessions of an incremental table that must be computed again.

    Args:
        con: the build, which still holds the table as it was.
        plan: the run's plan.
        done: what the table was made of.
        record: what it is to be made of.
        changes: how tables differ from what they were before this run.

    Returns:
        The pieces, apart from each other and in order; none where nothing is touched; None where the whole table must
        be computed.
    """
    node = plan.graph.nodes[done.name]
    touched = _touched(con, plan, done, record, changes)
    if touched is None:
        return None
    dated = [name for name in done.parents if _date_of(plan, name)]
    if content.undated(con, dated):
        return None  # no window shows a row without a session
    known = _axis(con, plan, node, dated)
    now = sorted({*known, *touched.bounded})
    gone = {day for name in dated if name in changes for day in changes[name].dates or ()}
    before = sorted({*known, *gone})
    reach = node.model.header.look_back or 0
    spans = [(day, max(_later(now, day, reach), _later(before, day, reach))) for day in sorted(touched.bounded)]
    if touched.onwards:
        spans.append((touched.onwards, LAST))
    every = sorted({*now, *content.sessions(con, [node.name])})
    merged = _merge(spans, every)
    if sum(bisect_right(every, last) - bisect_left(every, first) for first, last in merged) > MOST * len(every):
        return None
    return tuple(Piece(first, last, _earlier(now, first, reach)) for first, last in merged)


def compute(con: Connection, node: Compiled, plan: Plan, found: Sequence[Piece]) -> None:
    """Compute these sessions of a table aside. Outside of a transaction: one may write to a single database only.

    Raises:
        TsqError: the model's SQL does not run; names the user's line.
    """
    for number, piece in enumerate(found):
        with _window(con, node, plan, piece):
            try:
                con.execute(
                    f"create or replace temp table piece_{number} as select * from (\n{node.sql}\n) "
                    f"where {_inside(node, piece)}"
                )
            except DatabaseError as error:
                raise sql_error(node, error, first=2) from None


def rows(found: Sequence[Piece]) -> str:
    """A query of the rows that were computed aside."""
    return " union all by name ".join(f"select * from piece_{number}" for number in range(len(found)))


def replace(con: Connection, node: Compiled, found: Sequence[Piece]) -> None:
    """Put what was computed in the place of the table's old rows, in the transaction that is open."""
    table, header = identifier(node.name), node.model.header
    order = f" order by {', '.join(identifier(name) for name in header.order)}" if header.order else ""
    for number, piece in enumerate(found):
        con.execute(
            f"delete from {table} where {_inside(node, piece)}; "
            f"insert into {table} by name select * from piece_{number}{order}"
        )


def spans(found: Iterable[Piece]) -> tuple[Span, ...]:
    """The sessions of some pieces."""
    return tuple((piece.first, piece.last) for piece in found)


def _touched(
    con: Connection, plan: Plan, done: BuiltModel, record: BuiltModel, changes: Mapping[str, Change]
) -> _Touched | None:
    bounded: set[dt.date] = set()
    onwards: list[dt.date] = []
    for name, was in done.parents.items():
        if record.parents[name] == was:
            continue
        change = changes.get(name)
        if change is None or change.was != was or change.dates is None:
            return None
        if _date_of(plan, name):
            bounded |= set(change.dates)
        elif plan.graph.nodes[name].model.header.interval:
            onwards += [min(change.dates)] if change.dates else []
        else:
            return None
    for source, was in done.sources.items():
        if record.sources[source] == was:
            continue
        schema, _, name = source.partition(".")
        before = plan.base.sources.get(was) if plan.base and schema == "raw" else None
        query = plan.inputs.lake.changed_dates_sql(name, before, plan.inputs.as_of) if before else None
        if query is None:
            return None
        bounded |= {row[0] for row in con.execute(query).fetchall() if row[0] is not None}
    return _Touched(frozenset(bounded), min(onwards, default=None))


def _axis(con: Connection, plan: Plan, node: Compiled, dated: Sequence[str]) -> tuple[dt.date, ...]:
    """The dates along which a model looks back: those of the dated tables it reads, and never its own."""
    if dated or not node.model.header.look_back:
        return content.sessions(con, dated)
    found = [name.partition(".")[2] for name in node.own_reads if name.startswith("raw.")]
    columns = {name: plan.graph.catalog.raw[name].date for name in found}
    queries = [f'select "{date}" as date from raw.main.{identifier(name)}' for name, date in columns.items() if date]
    if not queries:
        return ()
    return tuple(row[0] for row in con.execute(f"select distinct date from ({' union '.join(queries)})").fetchall())


def _date_of(plan: Plan, name: str) -> str | None:
    header = plan.graph.nodes[name].model.header
    return None if header.kind == "view" else header.date


def _inside(node: Compiled, piece: Piece) -> str:
    return f'"{node.model.header.date}" between {literal(piece.first)} and {literal(piece.last)}'


@contextmanager
def _window(con: Connection, node: Compiled, plan: Plan, piece: Piece) -> Iterator[None]:
    """Show a model its dated tables cut to what a piece needs, under their own names."""
    catalog, lake = plan.graph.catalog, plan.inputs.lake
    raw: list[str] = []
    for read in node.own_reads:
        schema, _, table = read.partition(".")
        if read in plan.graph.nodes:
            date = _date_of(plan, read)
            con.execute(f"create schema if not exists {WINDOW}.{identifier(schema)}")
            con.execute(
                f"create or replace view {WINDOW}.{identifier(read)} as select * from build.{identifier(read)}"
                f"{_cut(date, piece)}"
            )
        elif schema == "raw" and catalog.raw[table].date:
            sql = f"select * from ({lake.source_sql(table, plan.inputs.as_of)}){_cut(catalog.raw[table].date, piece)}"
            con.execute(f"create or replace view raw.main.{identifier(table)} as {sql}")
            raw.append(table)
    con.execute(f"use {WINDOW}")
    try:
        yield
    finally:
        con.execute("use build")
        for table in raw:
            sql = lake.source_sql(table, plan.inputs.as_of)
            con.execute(f"create or replace view raw.main.{identifier(table)} as {sql}")


def _cut(date: str | None, piece: Piece) -> str:
    return f' where "{date}" between {literal(piece.seen_from)} and {literal(piece.last)}' if date else ""


def _later(axis: Sequence[dt.date], day: dt.date, steps: int) -> dt.date:
    """The last session that reads a day; any later one where no date comes between."""
    place = bisect_right(axis, day) - 1 + steps
    if place >= len(axis):
        return LAST if steps else day
    return axis[place] if place >= 0 else day


def _earlier(axis: Sequence[dt.date], day: dt.date, steps: int) -> dt.date:
    place = bisect_left(axis, day) - steps
    if not steps:
        return day
    return axis[place] if place >= 0 else dt.date.min


def _merge(spans: Iterable[Span], axis: Sequence[dt.date]) -> list[Span]:
    merged: list[Span] = []
    for first, last in sorted(spans):
        if merged and bisect_left(axis, first) - bisect_right(axis, merged[-1][1]) < NEAR:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged
