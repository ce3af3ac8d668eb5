"""The whole graph, bound by DuckDB's own binder against empty sources, before a row is read.

Every model's rendered text is turned into an empty table of exactly the types a run will make; the next models bind
against it, and so do the promises: columns, grain, order, date, checks, `knowable` and references. A model is bound
again only when its text, its promises or the columns it reads have changed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tsq.engine import memo, places, promises
from tsq.engine.compile import Compiled
from tsq.engine.graph import Graph
from tsq.engine.lake import LAKE_COLUMNS
from tsq.engine.sql_error import in_words, sql_error
from tsq.engine.versions import version
from tsq.errors import USAGE, TsqError

# DuckDB is imported where a model has to be bound: what is remembered needs none.
if TYPE_CHECKING:
    from tsq.engine.warehouse import Connection

Columns = Mapping[str, str]

_TABLE = re.compile(r"\b[a-z]\w*\.[a-z]\w*\b")
# The modules whose code decides whether a graph binds.
_CODE = ("bind", "promises")


def check(graph: Graph, memory: Path | None = None) -> None:
    """Bind every model and every promise of a graph.

    Args:
        graph: the graph.
        memory: a file that remembers what was bound between runs; None remembers nothing.

    Raises:
        TsqError: the first mistake in running order, at the user's file and line.
    """
    columns(graph, memory)


def columns(graph: Graph, memory: Path | None = None) -> dict[str, Columns]:
    """Find the columns of everything the graph reads and makes.

    Returns:
        table (`layer.table`, `raw.*`, `config.*`) → column → SQL type, in the order of the columns.

    Raises:
        TsqError: as `check`.
    """
    known = memo.load(memory) if memory else {}
    kept: dict[str, Mapping[str, object]] = {}
    tables = _sources(graph)
    binder = _Binder(graph, tables)
    engine = _engine()
    waiting: list[Compiled] = []
    for node in graph.nodes.values():
        promised = _promised_types(node) if node.model.language == "python" else {}
        key = _hash(engine, node.name, node.own_hash, promised, {read: tables.get(read) for read in node.own_reads})
        if key in known:
            tables[node.name] = known[key]["columns"]
        else:
            tables[node.name] = promised
            tables[node.name] = binder.take(node) if promised else binder.bind(node)
        kept[key] = {"columns": tables[node.name]}
        waiting.append(node)
        for ready in [one for one in waiting if _looked_at(one, graph) <= tables.keys()]:
            waiting.remove(ready)
            seen = {name: tables[name] for name in sorted({ready.name, *_looked_at(ready, graph)})}
            key = _hash(engine, ready.promise_hash, ready.model.header.order, seen)
            if key not in known:
                for name in seen if promises.has_sql(ready) else ():
                    binder.need(name)
                promises.verify(ready, tables, binder.types)
            kept[key] = {}
    if memory and kept.keys() != known.keys():
        memo.save(memory, kept)
    return tables


class _Binder:
    """An empty, locked database in which names resolve as in a run; opened only when something is to be bound."""

    def __init__(self, graph: Graph, tables: Mapping[str, Columns]) -> None:
        self._layers = tuple(graph.catalog.layers)
        self._tables = tables
        self._made: set[str] = set()

    @cached_property
    def _con(self) -> Connection:
        from tsq.engine import warehouse

        con = warehouse.connect()
        con.execute("set threads = 1")
        con.execute("; ".join(f"attach ':memory:' as {catalog}" for catalog in ("build", "raw", "config")))
        con.execute("; ".join(["use build", *(f'create schema "{layer}"' for layer in self._layers)]))
        warehouse.lock_down(con)
        return con

    def bind(self, node: Compiled) -> Columns:
        """Make a model's empty table; gives its columns."""
        from tsq.engine.warehouse import DatabaseError

        reads = node.own_reads
        for read in reads:
            self.need(read)
        try:
            self._con.execute(f"create table {_spelt(node.name)} as\n{node.sql}\nwith no data")
        except DatabaseError as error:
            names = [column for read in reads for column in self._tables[read]]
            raise sql_error(node, error, 2, known=names, exit_code=USAGE) from None
        self._made.add(node.name)
        return self.types(_spelt(node.name))

    def take(self, node: Compiled) -> Columns:
        """Make the empty table of a Python model from its header; gives its columns."""
        from tsq.engine.warehouse import DatabaseError

        for name, column in node.model.header.columns.items():
            try:
                self._con.execute(f"select null::{column.type}")
            except DatabaseError as error:
                what, hint = in_words(error)
                where = places.promised(node.model, "columns", name, "type")
                raise TsqError(f"{node.name} promises {name}: {what}", where=where, hint=hint) from None
        self.need(node.name)
        return self.types(_spelt(node.name))

    def need(self, table: str) -> None:
        """Make the empty table of something whose columns are known."""
        if table not in self._made:
            named = {column.replace('"', '""'): kind for column, kind in self._tables[table].items()}
            typed = ", ".join(f'"{column}" {kind}' for column, kind in named.items())
            self._con.execute(f"create table {_spelt(table)} ({typed})")
            self._made.add(table)

    def types(self, what: str) -> Columns:
        """Columns of a table or a query, with their types.

        Raises:
            DatabaseError: it does not bind.
        """
        return {row[0]: row[1] for row in self._con.execute(f"describe {what}").fetchall()}


def _sources(graph: Graph) -> dict[str, Columns]:
    """Columns of the datasets: their schemas', and what the lake knows about every raw row."""
    found: dict[str, Columns] = {}
    for schema, datasets, more in (("raw", graph.catalog.raw, LAKE_COLUMNS), ("config", graph.catalog.config, {})):
        for name, dataset in datasets.items():
            given = {column.name: column.type for column in dataset.columns} | more
            found[f"{schema}.{name}"] = {column: promises.spelt(kind) for column, kind in given.items()}
    return found


def _promised_types(node: Compiled) -> Columns:
    """Columns of a Python model, of which nothing but its header can tell.

    Raises:
        TsqError: it promises no columns, or a column without a type.
    """
    promised = node.model.header.columns
    if not promised:
        raise TsqError(
            f"{node.name} is made by Python and promises no columns",
            where=node.model.path,
            hint="list its columns with their types in the header: what reads it binds against them",
        )
    for name, column in promised.items():
        if column.type is None:
            raise TsqError(
                f"{node.name} is made by Python and promises no type for {name}",
                where=places.promised(node.model, "columns", name),
                hint="write {type: DOUBLE, …}: what reads it binds against the types of its header",
            )
    return {name: promises.spelt(str(column.type)) for name, column in promised.items()}


def _looked_at(node: Compiled, graph: Graph) -> set[str]:
    """What a model's promises may name: what it reads, and tables in its `knowable`."""
    named = set(_TABLE.findall(node.model.header.knowable or ""))
    return {*node.reads, *(named & graph.nodes.keys())}


def _spelt(table: str) -> str:
    schema, _, name = table.partition(".")
    return f'{schema}.main."{name}"' if schema in ("raw", "config") else f'"{schema}"."{name}"'


def _engine() -> str:
    code = [Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8") for name in _CODE]
    return _hash(version("duckdb"), *code)


def _hash(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()
