"""Fixtures every test may use: where real data lies, and tiny projects made of text."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes depends on the machine, and says nothing about the code.
settings.register_profile("tsq", deadline=None)
settings.load_profile("tsq")

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real exchange data; the test is skipped where there is none."""
    folder = Path(os.environ.get("TSQ_REAL_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "nse").is_dir():
        pytest.skip(f"no real data in {folder}: set TSQ_REAL_DATA")
    return folder


@pytest.fixture
def make_project(tmp_path: Path) -> Callable[[Mapping[str, str]], Path]:
    """Write a project from a mapping of path to text; layers and knobs have small defaults."""

    def make(files: Mapping[str, str]) -> Path:
        root = tmp_path / "project"
        defaults = {
            "config/run.yml": "# Rows wanted.\nn_rows: 5\nlabel: it's\n",
            "models/layers.yml": "order: [base, mart]\nread_raw: [base]\n",
        }
        for name, text in {**defaults, **files}.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return root

    return make
