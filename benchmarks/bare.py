"""Run a project's SQL in one DuckDB connection and nothing else: `python -m benchmarks.bare PROJECT DATABASE`.

No checks, comments, fingerprints, transactions or publishing; sources are views of the lake's own parquet files. This
is what an engine's overhead is measured against.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

from benchmarks import projects
from tsq.engine.graph import Graph
from tsq.engine.lake import Lake


def build(graph: Graph, database: Path) -> None:
    """Make every table of a graph, in order, in a fresh database file."""
    for path in (database, database.with_name(f"{database.name}.wal")):
        path.unlink(missing_ok=True)
    lake = Lake(graph.catalog.project.warehouse / "raw", graph.catalog.raw)
    with duckdb.connect(str(database)) as con:
        con.execute("set preserve_insertion_order = false")
        con.execute("attach ':memory:' as raw")
        for name, dataset in graph.catalog.raw.items():
            files = [path.as_posix() for path in lake.part_paths(name)]
            columns = ", ".join(dataset.column_names)
            con.execute(f"create view raw.main.{name} as select {columns} from read_parquet({files})")
        for layer in graph.catalog.layers:
            con.execute(f"create schema {layer}")
        for name, node in graph.nodes.items():
            header = node.model.header
            order = f" order by {', '.join(header.order)}" if header.order else ""
            con.execute(f"create {header.kind} {name} as select * from (\n{node.sql}\n){order}")
        con.execute("checkpoint")


if __name__ == "__main__":
    build(projects.load(Path(sys.argv[1])), Path(sys.argv[2]))
