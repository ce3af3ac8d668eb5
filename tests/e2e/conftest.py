"""A project as a user has it: this repository's files in a folder of their own, and the command line called in this process."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tsq.cli import main as cli

ROOT = Path(__file__).parent.parent.parent
PARTS = ("models", "sql", "config", "reports/pages")


@dataclass(frozen=True)
class Done:
    """What a command left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str


Tsq = Callable[..., Done]


def copy_project(to: Path) -> Path:
    for part in PARTS:
        shutil.copytree(ROOT / part, to / part, ignore=shutil.ignore_patterns("__pycache__"))
    return to


def call(project: Path, *arguments: str) -> int:
    """Call the command line as the console script does."""
    before = sys.argv
    sys.argv = ["tsq", *arguments, *(["--project", str(project)] if arguments[0] != "--help" else [])]
    try:
        cli.main()
    except SystemExit as stop:
        return int(stop.code or 0)
    finally:
        sys.argv = before
    return 0


@pytest.fixture(scope="session")
def demo_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which the small demo market was run to the report; read it, do not change it."""
    project = copy_project(tmp_path_factory.mktemp("demo"))
    assert call(project, "ingest", "--demo", "small") == 0
    assert call(project, "run", "--models", "all") == 0
    return project


@pytest.fixture
def project(demo_project: Path, tmp_path: Path) -> Path:
    """A copy of the demo project that a test may change."""
    copy = tmp_path / "project"
    shutil.copytree(demo_project, copy, symlinks=True)
    return copy


@pytest.fixture
def tsq(capsys: pytest.CaptureFixture[str]) -> Tsq:
    """Run a command in a project and see its exit code and output."""

    def run(project: Path, *arguments: str) -> Done:
        capsys.readouterr()
        code = call(project, *arguments)
        captured = capsys.readouterr()
        return Done(code, captured.out, captured.err)

    return run
