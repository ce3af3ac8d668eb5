"""A lake in a temporary folder, and a way to write small files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from samples import SCHEMAS, legacy

from tsq.engine.lake import Lake, load_datasets


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake", load_datasets(SCHEMAS))


@pytest.fixture
def put(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    def write(name: str, body: str | bytes) -> Path:
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body.encode() if isinstance(body, str) else body)
        return path

    return write


@pytest.fixture
def rows() -> Callable[..., list[tuple[Any, ...]]]:
    def read(lake: Lake, dataset: str, columns: str = "*", as_of: datetime | None = None) -> list[tuple[Any, ...]]:
        with duckdb.connect() as con:
            con.execute("set TimeZone = 'UTC'")
            query = f"select {columns} from ({lake.source_sql(dataset, as_of)}) order by all"
            return con.execute(query).fetchall()

    return read


@pytest.fixture
def refused() -> Callable[[Lake], list[tuple[Any, ...]]]:
    def read(lake: Lake) -> list[tuple[Any, ...]]:
        with duckdb.connect() as con:
            query = f"select file, row_no, reason, row_text from ({lake.quarantine_sql()}) order by all"
            return con.execute(query).fetchall()

    return read


@pytest.fixture
def legacy_file() -> Callable[..., str]:
    """A 13-column file: symbol → close, all prices of a row being that close, ten shares traded."""

    def make(day: str = "02-JAN-2020", end: str = "\n", **closes: float) -> str:
        return legacy(
            *(f"{s},EQ,{c},{c},{c},{c},{c},{c},10,{10 * c},{day},3,INE00000000," for s, c in closes.items()), end=end
        )

    return make
