"""Whether two builds say the same of what was known at a moment: one table, every column, both ways.

A build that knows the future and one that ends at a cut must agree on every row that could be known at the cut. Rows
are compared as sets; floating-point numbers to nine digits, as a longer table is summed in another order.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tsq.engine import macros
from tsq.engine.header import Header
from tsq.engine.lake import quote_name, timestamp_sql
from tsq.engine.template import identifier
from tsq.engine.warehouse import Connection

TOLERANCE = 1e-9
# Two numbers this close are the same, however small they are: what is left where large ones cancel.
NOTHING = 1e-12
_MOMENT = "TIMESTAMP WITH TIME ZONE"
_FLOATS = ("DOUBLE", "FLOAT")
_AS_OF = re.compile(r"(?<![\w.\"'])as_of(?![\w\"'])", re.IGNORECASE)


@dataclass(frozen=True)
class Example:
    """A row that differs: what names it, and its values then (at the cut) and now; a side without the row is None."""

    key: Mapping[str, Any]
    then: Mapping[str, Any] | None
    now: Mapping[str, Any] | None


@dataclass(frozen=True)
class Differing:
    """How the rows of a table differ.

    Attributes:
        rows: rows that differ, of either side.
        columns: column → values that differ in rows both have; in the table's order.
        only_then: rows that only the build at the cut has.
        only_now: rows that only the whole build has.
        first: the first session of a row that differs; None where rows have none.
        example: the first such row.
    """

    rows: int
    columns: Mapping[str, int]
    only_then: int
    only_now: int
    first: dt.date | None
    example: Example


@dataclass(frozen=True)
class Compared:
    """One table at one cut.

    Attributes:
        rows: rows of the whole build that could be known at the cut.
        skipped: its rows that could not yet.
        differing: None where all agree.
    """

    rows: int
    skipped: int
    differing: Differing | None


def columns_of(con: Connection, database: str, table: str) -> dict[str, str]:
    """The columns of a table of a build, with their types."""
    return {row[0]: row[1] for row in con.execute(f"describe {quote_name(database)}.{identifier(table)}").fetchall()}


def known_at(table: str, header: Header, columns: Mapping[str, str], moment: dt.datetime) -> str | None:
    """The rows of a table known at a moment, as a SELECT, open where they ended later; None: it cannot tell."""
    select = macros.query(table, header, columns, now=False)
    return _AS_OF.sub(timestamp_sql(moment), select) if select else None


def session_of(header: Header, columns: Mapping[str, str]) -> str | None:
    """The column that says of which session a row speaks, or from which on; a date where the header says none."""
    said = [name for name in (header.date, *header.interval[:1]) if name in columns]
    dates = [name for kind in ("DATE", _MOMENT) for name, found in columns.items() if found == kind]
    return next(iter([*said, *dates]), None)


def compare(
    con: Connection,
    header: Header,
    columns: Mapping[str, str],
    now: tuple[str, str],
    then: tuple[str, str],
    total: int,
) -> Compared:
    """Compare the rows of a table in two builds.

    Args:
        con: both builds.
        header: what the table promises.
        columns: its columns, the same in both.
        now: the build that knows the future, and a query of the rows in it.
        then: the build at the cut, and the same there.
        total: rows of the whole table now.
    """
    hashed = ", ".join(quote_name(name) for name in columns)
    told = []
    for database, query in (now, then):
        con.execute(f"use {quote_name(database)}")
        told.append(con.execute(f"select count(*), sum(hash({hashed})) from ({query})").fetchone() or (0, None))
    rows = told[0][0]
    if told[0] == told[1]:
        return Compared(rows, total - rows, None)
    for name, (database, query) in (("audit_now", now), ("audit_then", then)):
        con.execute(f"use {quote_name(database)}")
        con.execute(f"create or replace temp table {name} as {query}")
    found = _differing(con, header, columns)
    con.execute("drop table temp.main.audit_now; drop table temp.main.audit_then")
    return Compared(rows, total - rows, found)


def _differing(con: Connection, header: Header, columns: Mapping[str, str]) -> Differing | None:
    key = _key(con, header, columns)
    numbered = not (header.grain and tuple(key) == header.grain)
    values = [name for name in columns if name not in key]
    sides = {"n": "audit_now", "t": "audit_then"}
    # where the key tells rows apart, it does; else equal keys are told apart by number, in the order of the rest
    lines = f"partition by {_list(key)} " if key else ""
    number = f"row_number() over ({lines}order by {_list(values or key)})" if numbered else "1"
    for side, table in sides.items():
        listed = ", ".join(f"{quote_name(name)} as {side}{place}" for place, name in enumerate(columns))
        rows = f"select *, {number} as audit_no from temp.main.{table}"
        con.execute(f"create or replace temp view audit_{side} as select {listed}, audit_no from ({rows})")
    places = {name: place for place, name in enumerate(columns)}
    on = [f"n.n{places[name]} is not distinct from t.t{places[name]}" for name in key] + ["n.audit_no = t.audit_no"]
    unequal = {name: _unequal(places[name], columns[name]) for name in values}
    con.execute(
        "create or replace temp table audit_diff as select n.* exclude (audit_no), t.* exclude (audit_no), "
        "n.audit_no is not null as in_now, t.audit_no is not null as in_then "
        f"from temp.main.audit_n as n full join temp.main.audit_t as t on {' and '.join(on)} "
        f"where n.audit_no is null or t.audit_no is null or {' or '.join([*unequal.values(), 'false'])}"
    )
    counts = ["count(*)", "count(*) filter (not in_now)", "count(*) filter (not in_then)"]
    counts += [f"count(*) filter (in_now and in_then and {rule})" for rule in unequal.values()]
    rows, only_then, only_now, *each = con.execute(
        f"select {', '.join(counts)} from temp.main.audit_diff"
    ).fetchone() or (0,)
    found = None
    if rows:
        wrong = {name: count for name, count in zip(unequal, each, strict=True) if count}
        first, example = _first(con, header, columns, key)
        found = Differing(rows, wrong, only_then, only_now, first, example)
    con.execute("drop view temp.main.audit_n; drop view temp.main.audit_t; drop table temp.main.audit_diff")
    return found


def _key(con: Connection, header: Header, columns: Mapping[str, str]) -> list[str]:
    """The grain, where it tells the rows of both sides apart; else all columns but floats."""
    grain = [name for name in header.grain if name in columns]
    if grain and len(grain) == len(header.grain) and all(columns[name] not in _FLOATS for name in grain):
        twice = " union all ".join(
            f"(select 1 from temp.main.{table} group by {_list(grain)} having count(*) > 1 limit 1)"
            for table in ("audit_now", "audit_then")
        )
        if con.execute(twice).fetchone() is None:
            return grain
    return [name for name, kind in columns.items() if kind not in _FLOATS]


def _unequal(place: int, kind: str) -> str:
    exactly = f"n{place} is distinct from t{place}"
    if kind not in _FLOATS:
        return f"({exactly})"
    near = (
        f"isfinite(n{place}) and isfinite(t{place}) and abs(n{place} - t{place}) <= "
        f"greatest({NOTHING!r}, {TOLERANCE!r} * greatest(abs(n{place}), abs(t{place})))"
    )
    return f"({exactly} and not coalesce({near}, false))"


def _first(
    con: Connection, header: Header, columns: Mapping[str, str], key: Sequence[str]
) -> tuple[dt.date | None, Example]:
    names = list(columns)
    session = session_of(header, columns)
    place = names.index(session) if session else None
    when = f"cast(coalesce(n{place}, t{place}) as date)" if place is not None else "null::date"
    order = ", ".join(f"coalesce(n{names.index(name)}, t{names.index(name)})" for name in key)
    listed = ", ".join(f"{side}{number}" for side in "nt" for number in range(len(names)))
    row = con.execute(
        f"select {when} as first, in_now, in_then, {listed} from temp.main.audit_diff "
        f"order by first nulls last{', ' + order if order else ''} limit 1"
    ).fetchone()
    first, in_now, in_then, *values = row or (None, False, False)
    now = dict(zip(names, values[: len(names)], strict=True)) if in_now else None
    then = dict(zip(names, values[len(names) :], strict=True)) if in_then else None
    either = now or then or {}
    return first, Example({name: either.get(name) for name in key} if tuple(key) == header.grain else either, then, now)


def _list(names: Sequence[str]) -> str:
    return ", ".join(quote_name(name) for name in names)
