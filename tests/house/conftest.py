"""What the tests of the house look at: the project's own files, and its graph."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tsq.cli import workspace
from tsq.engine.graph import Graph

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """The project folder."""
    return ROOT


@pytest.fixture(scope="session")
def own_files() -> dict[str, str]:
    """Path below the project → text, of every text file git knows or would know."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        capture_output=True,
        check=True,
    ).stdout.decode()
    texts = {}
    for name in sorted(set(filter(None, listed.split("\0")))):
        path = ROOT / name
        if path.is_file() and b"\0" not in (body := path.read_bytes()):
            texts[name] = body.decode("utf-8")
    return texts


@pytest.fixture(scope="session")
def graph() -> Graph:
    """The project's own graph, rendered and checked; nothing is built."""
    return workspace.load_graph(ROOT)
