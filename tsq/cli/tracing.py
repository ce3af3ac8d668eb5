"""`tsq lineage`: from a column up to the files it came from, or down to all that is made of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from tsq.cli import workspace
from tsq.engine import lineage as lineages
from tsq.engine.graph import Graph
from tsq.engine.lake import file_sha256
from tsq.engine.lineage import CHOICE, FILTER, PYTHON, ROWS, Edge, Lineage, Ref

MOST_FILES = 5
SOURCES = ("raw.", "config.")


def lineage(*, root: Path | None, target: str, down: bool, rows: bool, depth: int | None, as_json: bool) -> None:
    """Print what a column or table is made of, or what is made of it."""
    graph = workspace.load_graph(root)
    known = lineages.read(graph, graph.catalog.project.cache / "lineage.json")
    start = lineages.locate(known, target)
    edges = lineages.closure(known, start, down=down)
    reached = set() if down else {*start, *(edge.source for edge in edges)}
    tables = {table for table, _ in reached} - graph.nodes.keys()
    sources = [_source(graph, table, reached) for table in known.columns if table in tables]
    if as_json:
        facts = {
            "target": [".".join(ref) for ref in start],
            "direction": "down" if down else "up",
            "edges": [edge._asdict() for edge in lineages.closure(known, start, down=down, depth=depth)],
            "sources": sources,
        }
        typer.echo(json.dumps(facts, default=str, ensure_ascii=False))
        return
    for line in tree(known, start, down=down, rows=rows, depth=depth):
        typer.echo(line)
    if not rows:
        typer.echo(_more(known, start, edges, down=down), nl=False)
    for source in sources:
        for line in _source_lines(source):
            typer.echo(line)


def tree(lineage: Lineage, start: Sequence[Ref], *, down: bool, rows: bool, depth: int | None) -> Iterator[str]:
    """Lines of an indented tree; what was opened above is named again, but not opened again.

    Args:
        lineage: the edges of the project.
        start: columns to begin with.
        down: towards readers.
        rows: show what chooses and filters too, not only what values are made of.
        depth: levels below `start`; None for all.
    """
    branch = _Tree(lineage, down, depth, set())
    for ref in start:
        yield ".".join(ref)
        below = list(branch.below(ref, rows or ref[1] == ROWS, 1))
        yield from below
        if not below and not down and not ref[0].startswith(SOURCES):
            yield "  made of no column: its query writes it"
    if rows and not down:
        for table in dict.fromkeys(table for table, column in start if column != ROWS):
            yield f"{table}.{ROWS}   which rows there are"
            yield from branch.below((table, ROWS), rows, 1)


@dataclass(frozen=True)
class _Tree:
    """How a tree is printed, and what of it is open already."""

    lineage: Lineage
    down: bool
    depth: int | None
    opened: set[Ref]

    def below(self, ref: Ref, rows: bool, level: int) -> Iterator[str]:
        """Lines of what stands under a column: what opens first, then what ends here, then what was open above."""
        self.opened.add(ref)
        pad = "  " * level
        leaves: dict[str, list[Ref]] = {}
        again: list[Ref] = []
        for found, kind in self._steps(ref, rows).items():
            deeper = bool(self._steps(found, rows))
            if not deeper:
                leaves.setdefault(kind, []).append(found)
            elif found in self.opened:
                again.append(found)
            elif self.depth is not None and level >= self.depth:
                yield f"{pad}{_named(found)}{_mark(kind)} …"
            else:
                yield f"{pad}{_named(found)}{_mark(kind)}"
                yield from self.below(found, rows, level + 1)
        for kind, refs in leaves.items():
            yield f"{pad}{', '.join(self._together(refs))}{_mark(kind)}"
        if again:
            yield f"{pad}… see above: {', '.join(self._together(again))}"

    def _steps(self, ref: Ref, rows: bool) -> dict[Ref, str]:
        """Columns one step on, and the kind of the step; a Python model is one step, as all it is given makes all."""
        table, column = ref
        columns = [column]
        if column == PYTHON:
            columns = (
                [*self.lineage.columns[table], ROWS]
                if self.down
                else [ROWS if rows else self.lineage.columns[table][0]]
            )
        found: dict[Ref, str] = {}
        for name in columns:
            for edge in self.lineage.steps((table, name), down=self.down, rows=rows):
                is_inside = edge.kind == PYTHON and column != PYTHON
                if self.down:
                    found[(edge.table, PYTHON) if is_inside else edge.to] = edge.kind
                else:
                    found[(edge.table, PYTHON) if is_inside else edge.source] = edge.kind
        return found

    def _together(self, refs: Sequence[Ref]) -> Iterator[str]:
        """Columns named side by side, a table at a time."""
        tables: dict[str, list[str]] = {}
        for table, column in refs:
            tables.setdefault(table, []).append(column)
        for table, columns in tables.items():
            if PYTHON in columns:
                yield f"{table} (Python)"
            elif len(columns) == 1:
                yield f"{table}.{columns[0]}"
            elif set(columns) >= set(self.lineage.columns[table]):
                yield f"{table} (all columns)"
            else:
                yield f"{table} ({', '.join(columns)})"


def _mark(kind: str) -> str:
    return f"   {kind}" if kind in (CHOICE, FILTER) else ""


def _named(ref: Ref) -> str:
    table, column = ref
    return f"{table} (Python: of all it is given)" if column == PYTHON else f"{table}.{column}"


def _more(lineage: Lineage, start: Sequence[Ref], edges: Sequence[Edge], *, down: bool) -> str:
    """How many columns a tree of values alone leaves out."""
    values = lineages.closure(lineage, start, down=down, rows=False)
    every, shown = ({edge.to if down else edge.source for edge in some} for some in (edges, values))
    more = sum(column != ROWS for _, column in every - shown)
    what = "chosen, ordered or filtered by it" if down else "that choose, order or filter"
    return f"\n{_count(more, 'more column')} {what}: --rows shows them\n" if more else ""


def _source(graph: Graph, table: str, reached: set[Ref]) -> dict[str, Any]:
    """The files behind a dataset or a table of settings."""
    schema, _, name = table.partition(".")
    columns = sorted(column for read, column in reached if read == table and column != ROWS)
    if schema == "raw":
        files = [
            {"file": file.file, "sha256": file.sha256, "rows": file.rows_kept, "batch": batch.batch_id}
            for batch in workspace.market(graph).lake.batches()
            for file in batch.files
            if file.dataset == name and file.rows_kept
        ]
    else:
        path = graph.catalog.project.root / (graph.catalog.config[name].file or "")
        files = [{"file": workspace.shown(path, graph.catalog.project), "sha256": file_sha256(path)}]
    return {"table": table, "columns": columns, "files": files}


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _source_lines(source: dict[str, Any]) -> Iterator[str]:
    files = source["files"]
    rows = sum(file.get("rows", 0) for file in files)
    counts = [_count(len(source["columns"]), "column"), _count(len(files), "file")]
    counts += [_count(rows, "row")] if source["table"].startswith("raw.") else []
    yield f"\n{source['table']}   {', '.join(counts)}"
    for file in files[:MOST_FILES]:
        where = f"   {file['rows']:,} rows   batch {file['batch']}" if "batch" in file else ""
        yield f"  {file['sha256']}   {file['file']}{where}"
    if len(files) > MOST_FILES:
        yield f"  … and {len(files) - MOST_FILES:,} more: --json names them all"
