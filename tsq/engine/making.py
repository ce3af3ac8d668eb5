"""Make one model's table on an open connection, from its rendered SQL or its Python function, and say what it is."""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING

from tsq.engine import macros
from tsq.engine.compile import Compiled
from tsq.engine.sql_error import sql_error
from tsq.engine.template import identifier, literal
from tsq.engine.warehouse import Connection, DatabaseError
from tsq.errors import TsqError

if TYPE_CHECKING:
    import polars as pl


def make(con: Connection, node: Compiled) -> None:
    """Create a model's table or view; what it reads stands there already.

    Raises:
        TsqError: its SQL does not run (names the user's line), or its Python cannot be imported or returns no frame.
    """
    if node.model.language == "sql":
        create(con, node, node.sql)
        return
    con.register("made_by_python", call(con, node).to_arrow())
    try:
        create(con, node, "select * from made_by_python")
    finally:
        con.unregister("made_by_python")


def create(con: Connection, node: Compiled, sql: str) -> None:
    """Create a model's table from a query, in the order its header asks for.

    Raises:
        TsqError: the query does not run; names the user's line.
    """
    header = node.model.header
    if header.order:
        sql = f"select * from (\n{sql}\n) order by {', '.join(identifier(column) for column in header.order)}"
    kind = "view" if header.kind == "view" else "table"
    try:
        con.execute(f"create {kind} {identifier(node.name)} as\n{sql}")
    except DatabaseError as error:
        raise sql_error(node, error, 3 if header.order else 2) from None


def call(con: Connection, node: Compiled) -> pl.DataFrame:
    """Call a Python model with its tables as polars frames and its knobs; returns its frame.

    Raises:
        TsqError: the file cannot be imported, or its model returns anything else.
    """
    # more threads sum in another order, so numbers would depend on the machine; and idle ones keep a core busy
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    import polars as pl

    spec = importlib.util.spec_from_file_location(f"tsq_model_{node.name.replace('.', '_')}", node.model.path)
    if spec is None or spec.loader is None:
        raise TsqError(f"{node.name} cannot be imported", where=node.model.path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # by way of pyarrow: polars can read DuckDB's rows itself, but then DuckDB reports leaks on stderr at the end
    tables = [con.sql(f"select * from {identifier(read)}").pl() for read in node.own_reads]
    frame = module.model(*tables, **node.knobs)
    if not isinstance(frame, pl.DataFrame):
        what = f"{node.name} returned a {type(frame).__name__}"
        raise TsqError(what, where=node.model.path, hint="model() returns a polars DataFrame")
    return frame


def columns(con: Connection, node: Compiled) -> dict[str, str]:
    """The columns of a model's table, with their types."""
    return {row[0]: row[1] for row in con.execute(f"describe {identifier(node.name)}").fetchall()}


def describe(con: Connection, node: Compiled, types: dict[str, str]) -> None:
    """Write into the build what a table and its columns are, and make its as-of macro."""
    header, table = node.model.header, identifier(node.name)
    kind = "view" if header.kind == "view" else "table"
    said = [f"comment on {kind} {table} is {literal(node.model.prose)}"]
    for name, column in header.columns.items():
        text = ", ".join(part for part in (column.doc, column.unit and f"[{column.unit}]") if part)
        said.append(f"comment on column {table}.{identifier(name)} is {literal(text)}")
    con.execute("; ".join([*said, *macros.statements(node, types)]))
