"""What the documents tell a reader to type works: the README's factor, and every query, on the small demo market."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tsq.cli import workspace
from tsq.engine import warehouse

EXAMPLE = re.compile(r"<!-- example: (\S+) -->\n```\w*\n(.*?)^```", re.DOTALL | re.MULTILINE)
QUERY = re.compile(r'tsq query "((?:\\"|[^"\n])*)"')
PARTS = ("models", "sql", "config")


def documents(root: Path) -> list[Path]:
    return [root / "README.md", *sorted((root / "docs").rglob("*.md"))]


def copy_project(root: Path, to: Path) -> Path:
    """A copy of the project with the README's examples written into it."""
    for part in PARTS:
        shutil.copytree(root / part, to / part, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in EXAMPLE.findall((root / "README.md").read_text(encoding="utf-8")):
        (to / name).write_text(text, encoding="utf-8")
    return to


def queries(root: Path) -> list[tuple[str, str]]:
    """Document and SQL of every query a reader is told to ask."""
    found = []
    for path in documents(root):
        for text in QUERY.findall(path.read_text(encoding="utf-8")):
            found.append((path.relative_to(root).as_posix(), text.replace('\\"', '"')))
    return found


def tsq(*arguments: str) -> None:
    call = [sys.executable, "-c", "from tsq.cli.main import main; main()", *arguments]
    done = subprocess.run(call, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr


def test_example_fits_the_graph(root: Path, tmp_path: Path) -> None:
    graph = workspace.load_graph(copy_project(root, tmp_path / "project"))
    assert graph.children["factors.size"] == ("signals.panel",)
    assert graph.nodes["factors.size"].model.header.grain == ("date", "security_id")


def test_there_are_queries_to_ask(root: Path) -> None:
    assert len(queries(root)) > 10


@pytest.mark.slow
def test_queries_can_be_asked(root: Path, tmp_path: Path) -> None:
    project = copy_project(root, tmp_path / "project")
    tsq("ingest", "--demo", "small", "--project", str(project))
    tsq("run", "--no-report", "--project", str(project))
    con = warehouse.open_readonly(project / "warehouse" / "tsq.duckdb")
    wrong = {}
    for name, sql in queries(root):
        try:
            con.execute(sql).fetchall()
        except warehouse.DatabaseError as error:
            wrong[f"{name}: {sql}"] = str(error)
    assert not wrong
    (rows,) = con.execute("select count(*) from alpha.ic_summary where factor = 'size'").fetchone() or (0,)
    assert rows > 0
    con.close()
