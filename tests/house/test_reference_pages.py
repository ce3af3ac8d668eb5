"""The generated pages say what the project says today, and the project says it of everything."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import typer

from tsq import config
from tsq.cli import markdown, reference
from tsq.cli.main import app
from tsq.engine.graph import Graph

COMMANDS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def pages(root: Path) -> dict[str, str]:
    return reference.pages(root)


def test_pages_are_fresh(root: Path, pages: dict[str, str]) -> None:
    folder = root / "docs" / "reference"
    stale = [
        name
        for name, text in pages.items()
        if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != text
    ]
    assert not stale, f"stale: {', '.join(stale)}; run {markdown.COMMAND}"


def test_no_page_is_left_over(root: Path, pages: dict[str, str]) -> None:
    assert {path.name for path in (root / "docs" / "reference").iterdir()} == set(pages)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_described(command: str, pages: dict[str, str]) -> None:
    assert f"## tsq {command}\n" in pages["cli.md"]


def test_every_knob_is_described_and_used(graph: Graph) -> None:
    comments = {
        knob: doc for section in config.knob_comments(graph.catalog.project).values() for knob, doc in section.items()
    }
    assert set(comments) == set(graph.catalog.project.knobs)
    assert not [knob for knob, doc in comments.items() if not doc.endswith(".")]
    used = {knob for node in graph.nodes.values() for knob in node.knobs}
    assert not set(comments) - used, "a knob that nothing uses turns nothing"


def test_every_table_is_described(graph: Graph, pages: dict[str, str]) -> None:
    assert not [name for name in graph.nodes if f"### {name}\n" not in pages["tables.md"]]


def test_every_dataset_column_is_described(graph: Graph) -> None:
    datasets = {**graph.catalog.raw, **graph.catalog.config}
    assert not [
        f"{name}.{column.name}" for name, found in datasets.items() for column in found.columns if not column.doc
    ]


def test_the_command_writes_what_changed(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for part in ("models", "sql", "config"):
        shutil.copytree(root / part, tmp_path / part)
    monkeypatch.chdir(tmp_path)
    reference.main()
    assert len(capsys.readouterr().out.splitlines()) == 6
    (tmp_path / "docs" / "reference" / "knobs.md").write_text("stale", encoding="utf-8")
    reference.main()
    assert capsys.readouterr().out == "docs/reference/knobs.md\n"
