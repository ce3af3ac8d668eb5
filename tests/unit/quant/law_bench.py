"""The tax law of the project as tests ask for it: config/tax_rates.csv through the model pit.tax_rates."""

from __future__ import annotations

import functools
import shutil
import tempfile
from pathlib import Path

import duckdb
import polars as pl

from tsq import config
from tsq.engine import catalog as catalogs
from tsq.engine import seeds
from tsq.engine.compile import compile_catalog
from tsq.engine.datasets import read_dataset
from tsq.quant.tax import Law, law

ROOT = Path(__file__).parents[3]
PARTS = (
    "config/run.yml",
    "config/tax_rates.csv",
    "models/layers.yml",
    "models/pit/_layer.yml",
    "models/pit/tax_rates.sql",
    "sql/config/tax_rates.yml",
    "sql/macros",
)


@functools.cache
def tax_rates() -> pl.DataFrame:
    """The table pit.tax_rates, made of the project's own file and model, and of nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for path in PARTS:
            copy = shutil.copytree if (ROOT / path).is_dir() else shutil.copyfile
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            copy(ROOT / path, root / path)
        (model,) = compile_catalog(catalogs.read(config.load(root))).values()
    seed = seeds.read(read_dataset(ROOT / "sql" / "config" / "tax_rates.yml"), ROOT)
    with duckdb.connect() as con:
        con.execute("set timezone = 'UTC'")
        con.execute("create schema config")
        columns = ", ".join(f"{column.name} {column.type}" for column in seed.dataset.columns)
        con.execute(f"create table config.tax_rates ({columns})")
        con.executemany(
            f"insert into config.tax_rates values ({', '.join('?' for _ in seed.dataset.columns)})", seed.rows
        )
        return con.sql(model.sql).pl()


@functools.cache
def the_law() -> Law:
    """What pit.tax_rates says."""
    return law(tax_rates())
