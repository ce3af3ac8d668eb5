"""Small tables as people write them in a test, and the same tables in DuckDB.

A table is a list of mappings, or a block of text with a `|` between the columns:

    date       | security_id | ret
    2024-01-02 | 1           | 0.05
    2024-01-03 | 1           |

An empty cell is null, `'quoted'` text is taken as it stands, and a cell that starts with `=` is worked out by DuckDB
(`= 110 / 100 - 1`), so that a number can show where it comes from. Lines that start with `#` are remarks.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tsq.engine.template import identifier, literal
from tsq.engine.warehouse import Connection, DatabaseError
from tsq.errors import TsqError, did_you_mean
from tsq.strict_yaml import Document, Key

_CELL = re.compile(r"""\s*(?:'((?:[^']|'')*)'|"([^"]*)"|([^|]*?))\s*(?:\||$)""")
_RULE = re.compile(r"[\s|:+-]*-[\s|:+-]*")
_WHOLE = re.compile(r"[+-]?[0-9][0-9_]*([eE]\+?[0-9]+)?")
_WHOLE_TYPES = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")


@dataclass(frozen=True)
class Formula:
    """A SQL expression without columns that stands for a value."""

    sql: str


Cell = str | Formula | None


@dataclass(frozen=True)
class Row:
    """One row: column → text that its column's type will read, and where it was written."""

    cells: Mapping[str, Cell]
    where: str


@dataclass(frozen=True)
class Rows:
    """A small table as written.

    Attributes:
        columns: names in the order in which they were first written.
        where: where it was written.
        query: a SELECT that makes the rows instead, for tables too long to write out.
    """

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    where: str
    query: str | None = None


def read(document: Document, path: Key) -> Rows:
    """Read the table at a place of a YAML document.

    It is a list of mappings, a block of text, `{with: {column: value}, rows: …}` where `with` is said of every row, or
    `{query: select …}`.

    Raises:
        TsqError: neither, a row with more or fewer cells than the block has columns, or a column named twice.
    """
    value = at(document, path)
    where = document.where(*path)
    if isinstance(value, dict):
        return _made(value, document, path)
    if isinstance(value, str):
        return _block(value, document, path)
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise TsqError(
            "a table is a list of rows, or a block of text with | between its columns",
            where=where,
            hint="write `table: |` and below it a line of names and a line for each row; [] is no rows",
        )
    columns = tuple(dict.fromkeys(name for row in value for name in row))
    return Rows(
        columns,
        tuple(
            Row({name: _cell(cell) for name, cell in row.items()}, document.where(*path, i))
            for i, row in enumerate(value)
        ),
        where,
    )


def _made(value: Mapping[str, Any], document: Document, path: Key) -> Rows:
    """A table of a mapping: rows with something in common, or a query."""
    where = document.where(*path)
    for key in value:
        if key not in ("with", "rows", "query"):
            hint = did_you_mean(str(key), ("with", "rows", "query"))
            raise TsqError(f"a table has the unknown key {key}", where=document.where(*path, key), hint=hint)
    if isinstance(value.get("query"), str) and len(value) == 1:
        return Rows((), (), where, value["query"])
    if not isinstance(value.get("with", {}), dict) or "rows" not in value:
        hint = "write {with: {column: value}, rows: …}, or {query: select …}"
        raise TsqError("this table has no rows", where=where, hint=hint)
    common = {name: _cell(given) for name, given in value.get("with", {}).items()}
    rows = read(document, (*path, "rows"))
    added = tuple(name for name in common if name not in rows.columns)
    return Rows(
        (*rows.columns, *added), tuple(Row({**common, **row.cells}, row.where) for row in rows.rows), rows.where
    )


def at(document: Document, path: Key) -> Any:
    """The value at a path of keys and indices."""
    value = document.value
    for key in path:
        value = value[key]
    return value


def check_names(rows: Rows, known: Sequence[str], table: str) -> None:
    """Hold a table's columns to those that exist.

    Raises:
        TsqError: an unknown column, with the nearest names.
    """
    for name in rows.columns:
        if name not in known:
            raise TsqError(f"{table} has no column {name}", where=rows.where, hint=did_you_mean(name, known))


def create(con: Connection, table: str, types: Mapping[str, str], defaults: Mapping[str, Cell]) -> None:
    """Create an empty table with these columns; what a row leaves out will be its default, or null."""
    said = {
        name: f" default {_typed(defaults[name], kind)}" if name in defaults else "" for name, kind in types.items()
    }
    columns = ", ".join(f'"{name}" {kind}{said[name]}' for name, kind in types.items())
    con.execute(f"create table {identifier(table)} ({columns})")


def insert(con: Connection, table: str, rows: Rows, types: Mapping[str, str]) -> None:
    """Add rows to a table whose columns are `types`.

    Raises:
        TsqError: a value that its column's type does not read, or a query that does not run; names the line.
    """
    if rows.query:
        try:
            con.execute(f"insert into {identifier(table)} by name {rows.query}")
        except DatabaseError as error:
            said = str(error).splitlines()[0]
            hint = f"a SELECT whose columns are among {', '.join(types)}"
            raise TsqError(f"the query of {table} does not run: {said}", where=rows.where, hint=hint) from None
    elif rows.rows:
        _execute(con, f"insert into {identifier(table)} {_values(rows, types, 'default')}", rows, types)


def fetch(con: Connection, rows: Rows, types: Mapping[str, str]) -> list[tuple[Any, ...]]:
    """Rows as the values DuckDB returns for columns of these types, in the order of `types`.

    Raises:
        TsqError: a value that its column's type does not read; names the line.
    """
    return _execute(con, _values(rows, types, "null"), rows, types) if rows.rows else []


def _execute(con: Connection, sql: str, rows: Rows, types: Mapping[str, str]) -> list[tuple[Any, ...]]:
    _check_whole_numbers(rows, types)
    try:
        return con.execute(sql).fetchall()
    except DatabaseError as error:
        raise _culprit(con, rows, types) or TsqError(str(error).splitlines()[0], where=rows.where) from None


def _values(rows: Rows, types: Mapping[str, str], left_out: str) -> str:
    lines = (
        ", ".join(_typed(row.cells[name], kind) if name in row.cells else left_out for name, kind in types.items())
        for row in rows.rows
    )
    return "values " + ", ".join(f"({line})" for line in lines)


def _typed(cell: Cell, kind: str) -> str:
    if isinstance(cell, Formula):
        return f"cast(({cell.sql}) as {kind})"
    return f"cast({literal(cell)} as {kind})"


def _check_whole_numbers(rows: Rows, types: Mapping[str, str]) -> None:
    """DuckDB would round 1.5 to 2 where a whole number stands."""
    for row in rows.rows:
        for name, cell in row.cells.items():
            if types.get(name) in _WHOLE_TYPES and isinstance(cell, str) and not _WHOLE.fullmatch(cell):
                raise _not_a(name, cell, types[name], row)


def _culprit(con: Connection, rows: Rows, types: Mapping[str, str]) -> TsqError | None:
    """The first value that cannot be read, asked one by one."""
    for row in rows.rows:
        for name, cell in row.cells.items():
            try:
                con.execute(f"select {_typed(cell, types[name])}")
            except DatabaseError as error:
                why = str(error).splitlines()[0].partition(": ")[2]
                return _not_a(name, cell, types[name], row, why if isinstance(cell, Formula) else None)
    return None


def _not_a(name: str, cell: Cell, kind: str, row: Row, why: str | None = None) -> TsqError:
    said = f"= {cell.sql}" if isinstance(cell, Formula) else repr(cell)
    return TsqError(f"{name} is {said}, which is not a {kind}", where=row.where, hint=why or f"the column is {kind}")


def _cell(value: Any) -> Cell:
    """A YAML scalar as text; a list as DuckDB writes one."""
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case str():
            return Formula(value[1:].strip()) if value.startswith("=") else value
        case dt.date():
            return value.isoformat()
        case list():
            return "[" + ", ".join(str(_cell(item)) for item in value) + "]"
    return str(value)


def _block(text: str, document: Document, path: Key) -> Rows:
    """A block scalar: its first line stands below its key, and names the columns."""
    first = document.line(*path) + 1
    names: tuple[str, ...] = ()
    framed = False
    rows: list[Row] = []
    for number, line in enumerate(text.splitlines(), first):
        where = f"{document.file}:{number}"
        if not line.strip() or line.lstrip().startswith("#") or _RULE.fullmatch(line):
            continue
        framed = framed if names else line.lstrip().startswith("|")
        cells = _split(line.strip(), framed)
        if not names:
            names = tuple(str(cell) for cell in cells)
            if len(set(names)) < len(names) or "None" in names:
                raise TsqError("a column has no name, or one that stands twice", where=where, hint="names, then rows")
        elif len(cells) != len(names):
            raise TsqError(
                f"this row has {len(cells)} cells for {len(names)} columns",
                where=where,
                hint="put a | between cells; an empty cell is null; quote text that holds a |",
            )
        else:
            rows.append(Row(dict(zip(names, cells, strict=True)), where))
    return Rows(names, tuple(rows), document.where(*path))


def _split(text: str, framed: bool) -> list[Cell]:
    """The cells of a line; a framed one has a | at both ends."""
    if framed:
        text = text.removeprefix("|").removesuffix("|")
    cells: list[Cell] = []
    position = 0
    while position <= len(text):
        found = _CELL.match(text, position)
        if found is None:  # a quote that does not end before the |
            cells.append(text[position:].strip())
            break
        single, double, plain = found.groups()
        if plain is None:
            cells.append(single.replace("''", "'") if single is not None else double)
        else:
            cells.append(Formula(plain[1:].strip()) if plain.startswith("=") else plain or None)
        if found.end() >= len(text) and not found.group().endswith("|"):
            break
        position = found.end()
    return cells
