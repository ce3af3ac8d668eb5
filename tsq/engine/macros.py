"""As-of macros of a build: `FROM pit.prices_at(TIMESTAMPTZ '2023-06-30 18:30+05:30')` for every table that can tell.

A table says in one of three ways when a row was known:

- `known_from`, `known_to`: the versions in force then;
- `known_at`: the rows known by then, and in the place of those that were replaced since (`versions`) what stood there;
- a header's `knowable`: the rows whose day had reached its evening by then.

Rows that are never final (`knowable: "date '9999-12-31'"`) are known as the build holds them, from its own as-of on.
An interval (header `interval`) that ended later reads as open, as it did then.
From the build's own as-of on, the last two give the whole table.
"""

from __future__ import annotations

from collections.abc import Mapping

from tsq.engine.catalog import Evening
from tsq.engine.compile import Compiled
from tsq.engine.header import Header
from tsq.engine.lake import quote
from tsq.engine.template import identifier
from tsq.engine.warehouse import Connection

SUFFIX = "_at"
# What a header says of rows that are never final: later ones may change them.
NEVER = "date '9999-12-31'"
_KNOWN = "TIMESTAMP WITH TIME ZONE"
_DAY = "ops.day_known(as_of)"
_NOW = "as_of >= (select max(runs.as_of) from ops.runs as runs)"
# Nobody knew then when a version in force would be replaced.
_OPEN = "timestamptz '9999-12-31 00:00:00+00'"
_IN_FORCE = "known_from <= as_of and as_of < known_to"


def prepare(con: Connection, evening: Evening) -> None:
    """Make `ops.day_known(as_of)`, which the macros of all tables call: another evening needs no other macro of them.

    Args:
        con: a connection that builds; its current database is the build.
        evening: when on its day a row is known.
    """
    seconds = (evening.time.hour * 60 + evening.time.minute) * 60 + evening.time.second
    local = f"timezone({quote(evening.zone)}, cast(as_of as timestamptz))"
    said = f"The last day whose evening ({evening.time:%H:%M} {evening.zone}) had come at as_of, a TIMESTAMPTZ."
    # A macro is bound when it is made; the run writes this table when all others are done.
    con.execute("create table if not exists ops.runs (as_of TIMESTAMPTZ)")
    con.execute(f"create or replace macro ops.day_known(as_of) as cast({local} - to_seconds({seconds}) as date)")
    con.execute(f"comment on macro ops.day_known is {quote(said)}")


def statements(node: Compiled, columns: Mapping[str, str]) -> tuple[str, ...]:
    """The SQL that makes the macro of a table that was just built or checked, with a comment.

    Args:
        node: the model.
        columns: its columns with their types.

    Returns:
        Nothing but a drop for a table that cannot tell when its rows were known: it has none.
    """
    name = f"{identifier(node.name)}{SUFFIX}"
    select = query(node.name, node.model.header, columns)
    if select is None:
        return (f"drop macro table if exists {name}",)
    said = f"Rows of {node.name} as they were known at as_of, a TIMESTAMPTZ."
    return (
        f"create or replace macro {name}(as_of) as table {select}",
        f"comment on macro table {name} is {quote(said)}",
    )


def drop(con: Connection, table: str) -> None:
    """Remove the macro of a table, if there is one."""
    con.execute(f"drop macro table if exists {identifier(table)}{SUFFIX}")


def query(table: str, header: Header, columns: Mapping[str, str], *, now: bool = True) -> str | None:
    """The rows of a table known at `as_of`, as a SELECT with that parameter.

    Args:
        table: `layer.table`.
        header: what it promises.
        columns: name → type, as DuckDB spells it.
        now: whether a time from the build's own as-of on gives the whole table, also what is never final; without it
            only rows that have come to stay.

    Returns:
        None for a table that cannot tell.
    """
    ends = _closed(header, columns, now)
    source = f"select *{f' replace ({ends})' if ends else ''} from {identifier(table)}"
    whole = f" or {_NOW}" if now else ""
    if header.knowable == NEVER:
        return f"{source} where {_NOW if now else 'false'}"
    if columns.get("known_from") == columns.get("known_to") == _KNOWN:
        return f"select * replace ({_OPEN} as known_to) from {identifier(table)} where {_IN_FORCE}"
    if columns.get("known_at") == _KNOWN:
        known = f"{source} as standing where known_at <= as_of"
        return _with_replaced(known, header, columns) if header.versions else known
    if header.interval and columns.get(header.interval[0]) == "DATE" and ends:
        return f"{source} where {identifier(header.interval[0])} <= {_DAY}{whole}"
    if header.knowable:
        return f"{source} where ({header.knowable}) <= {_DAY}{whole}"
    return None


def _closed(header: Header, columns: Mapping[str, str], now: bool) -> str:
    """What an interval's end reads as: open, where it ends later than `as_of`."""
    if len(header.interval) < 2 or columns.get(header.interval[1]) != "DATE":
        return ""
    end = identifier(header.interval[1])
    whole = f" or {_NOW}" if now else ""
    return f"case when {end} <= {_DAY}{whole} then {end} else date '9999-12-31' end as {end}"


def _with_replaced(known: str, header: Header, columns: Mapping[str, str]) -> str:
    """Rows known by `as_of` but for those that others were in force in the place of, and these."""
    replaced = identifier(header.versions or "")
    same = " and ".join(f"replaced.{identifier(name)} = standing.{identifier(name)}" for name in header.grain)
    names = ", ".join(identifier(name) for name in columns)
    return (
        f"{known} and not exists (select 1 from {replaced} as replaced where {same} and {_IN_FORCE}) "
        f"union all by name select {names} from {replaced} where {_IN_FORCE}"
    )
