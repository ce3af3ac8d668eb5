"""Builds made of SQL, with the little of a manifest that a comparison reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from tsq.engine.manifest import BuiltModel, Manifest


def model(name: str, run_id: str, **others: Any) -> BuiltModel:
    empty = BuiltModel(name, "table", "", "", "", {}, "", "", {}, {}, {}, 0, 0.0, run_id)
    return replace(empty, **others)


def manifest(run_id: str, *models: BuiltModel, **others: Any) -> Manifest:
    empty = Manifest(
        run_id=run_id,
        market="demo",
        as_of="2024-01-31T14:30:00+00:00",
        started_at="2024-02-01T00:00:00+00:00",
        finished_at="2024-02-01T00:00:01+00:00",
        seconds=1.0,
        threads=1,
        knobs={},
        models=models,
        checks=(),
        sources={},
        inputs={},
        packages={},
        platform="",
        git={},
    )
    return replace(empty, **others)


def write(path: Path, tables: Mapping[str, str], run_id: str, **others: Any) -> Manifest:
    """Write a build whose tables are queries; their content hashes are not known."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    models = []
    with duckdb.connect(str(path)) as con:
        for name, sql in tables.items():
            con.execute(f"create schema if not exists {name.partition('.')[0]}")
            con.execute(f"create table {name} as {sql}")
            (rows,) = con.execute(f"select count(*) from {name}").fetchone() or (0,)
            if not name.startswith("ops."):
                models.append(model(name, run_id, rows=rows))
    return manifest(run_id, *models, **others)
