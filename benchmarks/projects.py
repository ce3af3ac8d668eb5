"""Lay out a small tsq project for a benchmark: a copy of its files, more macros, its data as one batch of its lake."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from tsq import config
from tsq.engine import catalog, warehouse
from tsq.engine import compile as compiler
from tsq.engine import graph as graphs
from tsq.engine.graph import Graph
from tsq.engine.lake import Lake

ROOT = Path(__file__).parent.parent
BARE = Path(__file__).parent / "bare.py"
LOADED_AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def lay_out(source: Path, target: Path, macros: Iterable[Path] = ()) -> None:
    """Copy a project's files, with more macros beside its own; what was run there before is gone."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    (target / "sql" / "macros").mkdir(parents=True, exist_ok=True)
    for path in macros:
        shutil.copyfile(path, target / "sql" / "macros" / path.name)


def fill_lake(root: Path, files: Mapping[str, Path], known_at: str) -> None:
    """Write parquet files into a project's lake as one batch.

    Args:
        root: the project.
        files: dataset → parquet file with the dataset's columns.
        known_at: SQL expression over a row; a dataset without a `date` is always known.
    """
    lake = Lake(root / "warehouse" / "raw", catalog.read(config.load(root)).raw)
    with warehouse.connect() as con:
        for dataset, path in files.items():
            known = known_at if "date" in lake.datasets[dataset].column_names else "'1900-01-01'"
            con.execute(
                f"create view {dataset} as select *, 'panel' as format, 1 as source_rank, "
                f"{known}::timestamptz as known_at, '{path.name}' as file, false as is_withdrawn "
                f"from read_parquet('{path.as_posix()}')"
            )
        lake.write(
            con,
            batch_id="20260101T000000-bench",
            loaded_at=LOADED_AT,
            files=(),
            rows={dataset: dataset for dataset in files},
            quarantine=None,
        )


def load(root: Path) -> Graph:
    """A project's graph."""
    found = catalog.read(config.load(root))
    return graphs.build(found, compiler.compile_catalog(found))


def write_script(graph: Graph, path: Path) -> None:
    """Write a graph's SQL as one plain script: sources as views of the lake's files, then every table, in order.

    No checks, comments, fingerprints or publishing: what an engine's overhead is measured against.
    """
    lake = Lake(graph.catalog.project.warehouse / "raw", graph.catalog.raw)
    script = ["set preserve_insertion_order = false", "attach ':memory:' as raw"]
    for name, dataset in graph.catalog.raw.items():
        files = [part.resolve().as_posix() for part in lake.part_paths(name)]
        columns = ", ".join(dataset.column_names)
        script.append(f"create view raw.main.{name} as select {columns} from read_parquet({files})")
    script += [f"create schema {layer}" for layer in graph.catalog.layers]
    for name, node in graph.nodes.items():
        header = node.model.header
        order = f" order by {', '.join(header.order)}" if header.order else ""
        kind = "view" if header.kind == "view" else "table"
        script.append(f"create {kind} {name} as select * from (\n{node.sql}\n){order}")
    path.write_text(";\n".join([*script, "checkpoint"]), encoding="utf-8")


def forget(root: Path) -> None:
    """Remove every build, so that the next run makes all tables; the lake stays."""
    for path in (root / "warehouse").glob("tsq.duckdb*"):
        path.unlink()
    shutil.rmtree(root / "warehouse" / "builds", ignore_errors=True)
