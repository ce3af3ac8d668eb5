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
from tsq.engine.template import identifier, literal
from tsq.engine.warehouse import Connection

TABLE = "ops.content"
COLUMNS = {"model": "VARCHAR", "date": "DATE", "rows": "BIGINT", "hash": "HUGEINT"}
DOC = (
    "One row is one session of a table: how many rows it has there, or begin and end there, and their hash. "
    "The date is null where rows have no session."
)

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
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    con.execute(f"create table if not exists {TABLE} ({columns})")
    con.execute(f"comment on table {TABLE} is {literal(DOC)}")
    keep(con, models)


def of_view(node: Compiled, parents: Iterable[str]) -> str:
    """The content of a view: what it says and what it looks at."""
    return _digest("view", node.own_hash, *parents)


def record(
    con: Connection,
    node: Compiled,
    columns: Mapping[str, str],
    before: str | None,
    spans: tuple[Span, ...] | None = None,
) -> tuple[str, Change | None]:
    """Hash a table that was just written.

    Args:
        con: the build, with the table in it.
        node: the model.
        columns: its columns with their types.
        before: the content hash the table had, if it was there.
        spans: sessions that were written; None for all of them.

    Returns:
        The table's content hash, and how it differs from before; None for a table that is new.
    """
    name = literal(node.name)
    these = "" if spans is None else within("date", spans)
    fresh = (
        f"select {name} as model, date, count(*) as rows, sum(hash) as hash "
        f"from ({_happenings(node, columns)}) {these and f'where {these}'} group by date"
    )
    change = None
    if before is None:
        con.execute(f"insert into {TABLE} {fresh}")
    else:
        change = Change(before, _replace(con, f"model = {name}" + (these and f" and {these}"), fresh))
    listed = con.execute(
        f"select md5(string_agg(concat_ws(' ', date, rows, hash), ',' order by date)) from {TABLE} where model = {name}"
    ).fetchone() or ("",)
    content = _digest(*(f"{column} {kind}" for column, kind in columns.items()), str(listed[0]))
    if change and change.dates == () and content != before:
        change = Change(change.was, None)  # the same rows under other names or types
    return content, change


def _replace(con: Connection, these: str, fresh: str) -> tuple[dt.date, ...] | None:
    """Put a table's hashes in the place of those it had; gives the sessions that differ."""
    con.execute(f"create or replace temp table fresh as {fresh}")
    old, new = f"select date, rows, hash from {TABLE} where {these}", "select date, rows, hash from fresh"
    differing = con.execute(
        f"select distinct date from (({old} except {new}) union all ({new} except {old})) order by date nulls first"
    ).fetchall()
    if not differing:
        return ()
    con.execute(f"delete from {TABLE} where {these}; insert into {TABLE} from fresh")
    return None if differing[0][0] is None else tuple(row[0] for row in differing)


def sessions(con: Connection, models: Iterable[str]) -> tuple[dt.date, ...]:
    """Every session some of these tables hold, in order."""
    names = ", ".join(literal(model) for model in models)
    rows = con.execute(f"select distinct date from {TABLE} where model in ({names}) and date is not null order by date")
    return tuple(row[0] for row in rows.fetchall())


def keep(con: Connection, models: Iterable[str]) -> None:
    """Drop the hashes of all tables but these."""
    names = ", ".join(literal(model) for model in models) or "''"
    con.execute(f"delete from {TABLE} where model not in ({names})")


def _happenings(node: Compiled, columns: Iterable[str]) -> str:
    """A query of what a table says in each session: `date`, and a hash of what is said."""
    table, header = identifier(node.name), node.model.header
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
    return "(" + " or ".join(f"{column} between {literal(first)} and {literal(last)}" for first, last in spans) + ")"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]
