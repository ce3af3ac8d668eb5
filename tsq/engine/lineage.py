"""Column lineage of a project: which columns of which tables feed each column, down to `raw.*` and `config.*`.

An edge has a kind. `value`: the column is computed from it. `choice`: it chooses, orders or groups what the column is
computed from. `python`: a Python model may use every column it is given for every column it makes. `filter`: it helps
to decide which rows a table has; such edges belong to the column `*` of the table, as they decide all its columns. From
`*`, the rows of a table as a whole are meant: what count(*) counts. Knobs are not part of it: `tsq show` says them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from tsq.engine import memo
from tsq.engine.compile import Compiled
from tsq.engine.flows import ROWS as ROWS
from tsq.engine.flows import Flow
from tsq.engine.flows import Ref as Ref
from tsq.engine.graph import Graph
from tsq.engine.lake import LAKE_COLUMNS
from tsq.engine.versions import version
from tsq.errors import TsqError, did_you_mean

VALUE, CHOICE, FILTER, PYTHON = "value", "choice", "filter", "python"
_CODE = ("lineage", "selects", "from_clause", "expressions", "flows")


class Edge(NamedTuple):
    """`table.column` depends on `from_table.from_column`; a column `*` means the rows of its table."""

    table: str
    column: str
    from_table: str
    from_column: str
    kind: str

    @property
    def to(self) -> Ref:
        """The column that depends."""
        return self.table, self.column

    @property
    def source(self) -> Ref:
        """The column it depends on."""
        return self.from_table, self.from_column


@dataclass(frozen=True)
class Lineage:
    """All edges of a project, tables in running order.

    Attributes:
        columns: columns of every model, `raw.*` and `config.*`, in order.
        edges: every edge.
    """

    columns: Mapping[str, tuple[str, ...]]
    edges: tuple[Edge, ...]

    @cached_property
    def up(self) -> Mapping[Ref, tuple[Edge, ...]]:
        """Column → edges to what it depends on."""
        return _grouped((edge.to, edge) for edge in self.edges)

    @cached_property
    def down(self) -> Mapping[Ref, tuple[Edge, ...]]:
        """Column → edges to what depends on it."""
        return _grouped((edge.source, edge) for edge in self.edges)

    @cached_property
    def computed(self) -> frozenset[Ref]:
        """Columns that are computed from others, and not only chosen by them."""
        return frozenset(edge.to for edge in self.edges if edge.kind in (VALUE, PYTHON))

    def steps(self, ref: Ref, *, down: bool = False, rows: bool = True) -> tuple[Edge, ...]:
        """Edges one step up (or down) from a column.

        Without `rows`, only what values are made of: a number that is nothing but a choice (a rank) is made of that.
        """
        edges = (self.down if down else self.up).get(ref, ())
        if rows:
            return edges
        kinds = (VALUE, PYTHON)
        return tuple(
            edge for edge in edges if edge.kind in kinds or (edge.kind == CHOICE and edge.to not in self.computed)
        )


def read(graph: Graph, memory: Path | None = None) -> Lineage:
    """Work out every edge.

    Args:
        graph: the project's graph.
        memory: a file that remembers models between calls; a model is read again when its SQL or the columns of
            what it reads changed. None remembers nothing.
    """
    columns = _source_columns(graph)
    known = memo.load(memory) if memory else {}
    entries: dict[str, Mapping[str, Any]] = {}
    edges: list[Edge] = []
    code = _code_hash()
    for name, node in graph.nodes.items():
        key = _key(code, node, columns)
        entry = known.get(key) or _trace(graph, node, columns)
        entries[key] = entry
        columns[name] = tuple(entry["columns"])
        edges += [Edge(name, *edge) for edge in entry["edges"]]
    if memory and entries.keys() != known.keys():
        memo.save(memory, entries)
    return Lineage(columns, tuple(edges))


def closure(
    lineage: Lineage, start: Iterable[Ref], *, down: bool = False, depth: int | None = None, rows: bool = True
) -> tuple[Edge, ...]:
    """Every edge on the way from some columns to their sources, or to all that depends on them.

    Args:
        lineage: the edges of the project.
        start: columns.
        down: follow readers instead.
        depth: steps to go; None for all.
        rows: follow what chooses and filters too; without, only what values are computed from.
    """
    edges: dict[Edge, None] = {}
    seen = set(start)
    if rows and not down:
        seen |= {(table, ROWS) for table, _ in seen}
    waiting, steps = list(seen), 0
    while waiting and (depth is None or steps < depth):
        found: list[Ref] = []
        for ref in waiting:
            for edge in lineage.steps(ref, down=down, rows=rows):
                edges[edge] = None
                found.append(edge.to if down else edge.source)
        waiting = [ref for ref in dict.fromkeys(found) if ref not in seen]
        seen |= set(waiting)
        steps += 1
    return tuple(edges)


def locate(lineage: Lineage, target: str) -> tuple[Ref, ...]:
    """Find what a person means: `layer.table.column`, `layer.table` or a bare table name, with or without a column.

    Returns:
        That column, or all columns of that table.

    Raises:
        TsqError: no such table or column (with the nearest names), or a table name that is not unique.
    """
    parts = target.lower().split(".")
    by_table: dict[str, list[str]] = {}
    for name in lineage.columns:
        by_table.setdefault(name.partition(".")[2], []).append(name)
    full = ".".join(parts[:2])
    if full in lineage.columns:
        table, column = full, parts[2:]
    else:
        found = by_table.get(parts[0], [])
        if len(found) > 1:
            raise TsqError(f"{parts[0]} could be {' or '.join(sorted(found))}", hint="write layer.table")
        if not found:
            name = full if len(parts) > 1 else parts[0]
            raise TsqError(f"no table is called {name}", hint=did_you_mean(name, [*lineage.columns, *by_table]))
        table, column = found[0], parts[1:]
    if not column:
        return tuple((table, name) for name in lineage.columns[table])
    name = ".".join(column)
    if name != ROWS and name not in lineage.columns[table]:
        raise TsqError(f"{table} has no column {name}", hint=did_you_mean(name, lineage.columns[table]))
    return ((table, name),)


def _trace(graph: Graph, node: Compiled, columns: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    if node.model.language == "python":
        return _python(node, columns)
    from tsq.engine.selects import trace

    found = trace(node.sql, {read: columns[read] for read in node.reads}).relation
    named = {name: flow for name, flow in found.columns if name}
    names = list(named)
    if not found.is_whole or len(names) < len(found.columns):
        from tsq.engine import bind  # the names that DuckDB makes up

        names = [name.lower() for name in bind.columns(graph)[node.name]]
        by_place = [flow for _, flow in found.columns] if len(found.columns) == len(names) and not found.rest else []
        unknown = found.find("") or Flow()
        named = {name: by_place[i] if by_place else named.get(name, unknown) for i, name in enumerate(names)}
    edges = [
        (name, *ref, kind)
        for name in names
        for refs, kind in ((named[name].refs, VALUE), (named[name].choice - named[name].refs, CHOICE))
        for ref in sorted(refs)
    ]
    return {"columns": names, "edges": [*edges, *((ROWS, *ref, FILTER) for ref in sorted(found.rows))]}


def _python(node: Compiled, columns: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """Nobody looks into a Python model: all it is given decides all it makes, and its rows."""
    names = [name.lower() for name in node.model.header.columns]
    given = [(read, name) for read in node.reads for name in columns[read]]
    edges = [(name, *ref, PYTHON) for name in names for ref in given]
    rows = [(ROWS, *ref, FILTER) for ref in given]
    return {"columns": names, "edges": [*edges, *rows, *((ROWS, read, ROWS, FILTER) for read in node.reads)]}


def _source_columns(graph: Graph) -> dict[str, tuple[str, ...]]:
    catalog = graph.catalog
    raw = {f"raw.{name}": (*dataset.column_names, *LAKE_COLUMNS) for name, dataset in catalog.raw.items()}
    config = {f"config.{name}": dataset.column_names for name, dataset in catalog.config.items()}
    return {name: tuple(map(str.lower, columns)) for name, columns in (raw | config).items()}


def _key(code: str, node: Compiled, columns: Mapping[str, tuple[str, ...]]) -> str:
    made = tuple(node.model.header.columns) if node.model.language == "python" else ()
    seen = [(read, columns[read]) for read in node.reads]
    return hashlib.sha256(repr((code, node.name, node.own_hash, made, seen)).encode()).hexdigest()


def _code_hash() -> str:
    texts = [Path(__file__).with_name(f"{name}.py").read_bytes() for name in _CODE]
    return hashlib.sha256(b"\x00".join([version("sqlglot").encode(), *texts])).hexdigest()


def _grouped(pairs: Iterable[tuple[Ref, Edge]]) -> Mapping[Ref, tuple[Edge, ...]]:
    found: dict[Ref, list[Edge]] = {}
    for ref, edge in pairs:
        found.setdefault(ref, []).append(edge)
    return {ref: tuple(edges) for ref, edges in found.items()}
