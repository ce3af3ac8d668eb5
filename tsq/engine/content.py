"""What a table holds, as hashes: one for each of its sessions and one for the whole, whatever the order of its rows.

The session of a row is the header's `date` column. A table of intervals is hashed as what happens in each session: a
row begins, a row ends; so a row that is closed today moves today's hash and not that of the day it began. A table with
neither has one hash. Equal content is the same table to everything that reads it; sessions whose hash differs are all
that an incremental reader has to look at again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tsq.engine.compile import Compiled
from tsq.engine.ops_tables import TABLES
from tsq.engine.template import identifier, literal
from tsq.engine.warehouse import Connection

TABLE = "ops.content"
Span = tuple[dt.date, dt.date]


@dataclass(frozen=True)
class Change:
    """How a table differs from what it was before this run.

    Attributes:
        was: its content hash before.
        dates: sessions whose rows differ; None when that is not known, and everything may.
    """

    was: str
    dates: tuple[dt.date, ...] | None


def prepare(con: Connection, models: Iterable[str]) -> None:
    """Make the table of hashes, or keep in it what it says of these models."""
    columns = ", ".join(f"{name} {kind}" for name, kind in TABLES["content"].columns.items())
    con.execute(f"create table if not exists {TABLE} ({columns})")
    keep(con, models)


def of_view(node: Compiled, parents: Iterable[str]) -> str:
    """The content of a view: what it says and what it looks at."""
    return _digest("view", node.own_hash, *parents)


def record(
    con: Connection, node: Compiled, columns: Mapping[str, str], before: str | None
) -> tuple[str, Change | None]:
    """Hash a table that was just built.

    Args:
        con: the build, with the table in it.
        node: the model.
        columns: its columns with their types.
        before: the content hash the table had, if it was there.

    Returns:
        The table's content hash, and how it differs from before; None for a table that is new.
    """
    name = literal(node.name)
    if before is None:
        con.execute(f"insert into {TABLE} {_hashes(node, columns, identifier(node.name))}")
        return _whole(con, node, columns), None
    con.execute(f"create or replace temp table fresh as {_hashes(node, columns, identifier(node.name))}")
    dates = _differing(con, f"model = {name}")
    # the same values under other names or types, or counted to other sessions, are other rows
    is_alike = _whole(con, node, columns) == before
    if dates != ():
        con.execute(f"delete from {TABLE} where model = {name}; insert into {TABLE} from fresh")
    return _whole(con, node, columns), Change(before, dates if is_alike else None)


def compare(
    con: Connection, node: Compiled, columns: Mapping[str, str], rows: str, spans: tuple[Span, ...]
) -> tuple[tuple[dt.date, ...], int]:
    """Hash rows that may take the place of some sessions of a table, which still is as it was.

    Args:
        con: the build.
        node: the model; its table has a `date`.
        columns: its columns with their types.
        rows: a query of the new rows.
        spans: the sessions whose place they take.

    Returns:
        The sessions that differ, and how many the new rows have.
    """
    con.execute(f"create or replace temp table fresh as {_hashes(node, columns, f'({rows})')}")
    (count,) = con.execute("select count(*) from fresh").fetchone() or (0,)
    return _differing(con, _these(node, spans)) or (), count


def replace(con: Connection, node: Compiled, columns: Mapping[str, str], spans: tuple[Span, ...]) -> str:
    """Put the hashes just compared in the place of the old ones; gives the table's content."""
    con.execute(f"delete from {TABLE} where {_these(node, spans)}; insert into {TABLE} from fresh")
    return _whole(con, node, columns)


def _these(node: Compiled, spans: tuple[Span, ...]) -> str:
    return f"model = {literal(node.name)} and {within('date', spans)}"


def _hashes(node: Compiled, columns: Mapping[str, str], rows: str) -> str:
    return (
        f"select {literal(node.name)} as model, date, count(*) as rows, sum(hash) as hash "
        f"from ({_happenings(node, columns, rows)}) group by date"
    )


def _differing(con: Connection, these: str) -> tuple[dt.date, ...] | None:
    """Sessions whose hashes differ from the fresh ones; None where rows without a session do."""
    old, new = f"select date, rows, hash from {TABLE} where {these}", "select date, rows, hash from fresh"
    found = con.execute(
        f"select distinct date from (({old} except {new}) union all ({new} except {old})) order by date nulls first"
    ).fetchall()
    return None if found and found[0][0] is None else tuple(row[0] for row in found)


def _whole(con: Connection, node: Compiled, columns: Mapping[str, str]) -> str:
    """One hash over those of all sessions, and over what the columns are: names, types, and which say the session."""
    listed = con.execute(
        f"select md5(string_agg(concat_ws(' ', date, rows, hash), ',' order by date)) "
        f"from {TABLE} where model = {literal(node.name)}"
    ).fetchone() or ("",)
    session = repr((node.model.header.date, node.model.header.interval))
    return _digest(*(f"{column} {kind}" for column, kind in columns.items()), session, str(listed[0]))


def sessions(con: Connection, models: Iterable[str]) -> tuple[dt.date, ...]:
    """Every session some of these tables hold, in order."""
    names = ", ".join(literal(model) for model in models) or "''"
    rows = con.execute(f"select distinct date from {TABLE} where model in ({names}) and date is not null order by date")
    return tuple(row[0] for row in rows.fetchall())


def undated(con: Connection, models: Iterable[str]) -> bool:
    """Whether some row of these tables has no session."""
    names = ", ".join(literal(model) for model in models) or "''"
    return bool(con.execute(f"select 1 from {TABLE} where model in ({names}) and date is null limit 1").fetchall())


def keep(con: Connection, models: Iterable[str]) -> None:
    """Drop the hashes of all tables but these."""
    names = ", ".join(literal(model) for model in models) or "''"
    con.execute(f"delete from {TABLE} where model not in ({names})")


def _happenings(node: Compiled, columns: Iterable[str], table: str) -> str:
    """A query of what rows say in each session: `date`, and a hash of what is said."""
    header = node.model.header
    everything = ", ".join(f'"{column}"' for column in columns)
    if not header.interval:
        session = f'"{header.date}"' if header.date else "null"
        return f"select cast({session} as date) as date, hash({everything}) as hash from {table}"
    first, *last = header.interval
    begun = ", ".join(f'"{column}"' for column in columns if column not in last)
    begins = f'select cast("{first}" as date) as date, hash({begun}) as hash from {table}'
    ends = [
        f'select cast("{column}" as date), hash({everything}) from {table} where "{column}" is not null'
        for column in last
    ]
    return " union all ".join([begins, *ends])


def within(column: str, spans: Iterable[Span]) -> str:
    """A predicate: the session of a row lies in one of these spans."""
    found = [f"{column} between {literal(first)} and {literal(last)}" for first, last in spans]
    return f"({' or '.join(found)})" if found else "false"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]
