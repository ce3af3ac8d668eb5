"""Makes benches: the project's own models, compiled once for each set of knobs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from model_bench import PROVENANCE, Bench

from tsq import config
from tsq.engine import catalog as catalogs
from tsq.engine.compile import Compiled, compile_catalog

ROOT = Path(__file__).parents[3]
LAYERS = ("pit", "health", "features", "universe", "factors", "signals", "alpha")


@pytest.fixture(scope="session")
def bench_of() -> Callable[..., Bench]:
    """Make a bench, with knobs changed by name."""
    compiled_by_knobs: dict[str, tuple[catalogs.Catalog, dict[str, Compiled]]] = {}

    def make(**knobs: Any) -> Bench:
        key = repr(sorted(knobs.items()))
        if key not in compiled_by_knobs:
            project = config.load(ROOT)
            project = dataclasses.replace(project, knobs={**project.knobs, **knobs})
            catalog = catalogs.read(project)
            mine = {
                name: model for name, model in catalog.models.items() if (model.header.place or model.layer) in LAYERS
            }
            catalog = dataclasses.replace(catalog, models=mine)
            compiled_by_knobs[key] = (catalog, compile_catalog(catalog))
        catalog, compiled = compiled_by_knobs[key]
        con = duckdb.connect()
        con.execute("set timezone = 'UTC'")
        for database, datasets in (("raw", catalog.raw), ("config", catalog.config)):
            con.execute(f"attach ':memory:' as {database}")
            for dataset in datasets.values():
                columns = {column.name: column.type for column in dataset.columns}
                if database == "raw":
                    columns |= PROVENANCE
                written = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
                con.execute(f"create table {database}.{dataset.name} ({written})")
        return Bench(con, compiled)

    return make


@pytest.fixture
def bench(bench_of: Callable[..., Bench]) -> Iterator[Bench]:
    """A bench with the project's own knobs."""
    made = bench_of()
    yield made
    made.con.close()
