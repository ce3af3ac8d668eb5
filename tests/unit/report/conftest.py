"""A made-up published warehouse and the drawing script, shared by the tests of the report."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_warehouse import make

from tsq.report import bundle

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("warehouse") / "made.duckdb")


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    bundle.javascript(folder)
    return folder


@pytest.fixture
def shipped_pages() -> Path:
    return ROOT / "reports" / "pages"
