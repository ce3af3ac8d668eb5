"""What the documents say exists: links, commands, options, tables and knobs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from tsq.cli.main import app
from tsq.engine.graph import Graph
from tsq.engine.ops_tables import TABLES

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
INDENTED = re.compile(r"(?:^|\n\n)((?:    [^\n]+\n?)+)")
SPAN = re.compile(r"`([^`\n]+)`")
CALL = re.compile(r"(?:^|[\s;&/\\(])tsq ([a-z][a-z-]*)((?:[^\n|;&`]|\\\n)*)")
FILES = {"yml", "sql", "py", "md", "csv"}
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def documents(own_files: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in own_files.items() if name.endswith(".md") and not name.startswith("reports/")}


def slugs(text: str) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+?)\s*$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def code(text: str) -> list[str]:
    """Code of a page: fenced and indented blocks, and spans of the prose around them."""
    prose = INDENTED.sub("\n", FENCE.sub("", text))
    return [*FENCE.findall(text), *INDENTED.findall(FENCE.sub("", text)), *SPAN.findall(prose)]


def calls(text: str) -> list[tuple[str, set[str]]]:
    """Calls of tsq in a page: the command and the options given to it."""
    return [
        (command, set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", rest)))
        for block in code(text)
        for command, rest in CALL.findall(block)
    ]


def test_links_lead_somewhere(root: Path, documents: dict[str, str]) -> None:
    lost = []
    for name, text in documents.items():
        for target in LINK.findall(FENCE.sub("", text)):
            path, _, anchor = target.partition("#")
            if re.match(r"[a-z]+:", path):
                continue
            page = (root / name).parent / path if path else root / name
            if not page.exists():
                lost.append(f"{name}: {target}")
            elif anchor and anchor not in slugs(page.read_text(encoding="utf-8")):
                lost.append(f"{name}: {target} has no such heading")
    assert not lost


def test_links_are_not_absolute_paths(documents: dict[str, str]) -> None:
    assert not [f"{name}: {to}" for name, text in documents.items() for to in LINK.findall(text) if to.startswith("/")]


def test_commands_and_options_exist(documents: dict[str, str]) -> None:
    wrong = []
    for name, text in documents.items():
        for command, options in calls(text):
            if command not in COMMANDS:
                wrong.append(f"{name}: tsq {command}")
                continue
            known = {"--help"}
            for param in COMMANDS[command].params:
                known |= {*param.opts, *param.secondary_opts}
            wrong += [f"{name}: tsq {command} {option}" for option in sorted(options - known)]
    assert not wrong


def test_readme_shows_the_commands(documents: dict[str, str]) -> None:
    shown = {command for command, _ in calls(documents["README.md"])}
    assert {"run", "ingest", "ls", "show", "query", "export"} <= shown


def test_tables_and_knobs_exist(graph: Graph, documents: dict[str, str]) -> None:
    """A word in code such as `factors.low_vol` is a table; one such as `--set winsor_pct=2` is a knob."""
    catalog = graph.catalog
    known = {*graph.nodes, *(f"raw.{name}" for name in catalog.raw), *(f"config.{name}" for name in catalog.config)}
    known |= {f"ops.{name}" for name in TABLES}
    schemas = {name.partition(".")[0] for name in known}
    wrong = []
    for name, text in documents.items():
        made = set(re.findall(r"(?:models/)?([a-z]+/[a-z_0-9]+)\.sql", text))
        for block in code(text):
            for schema, table in re.findall(r"(?<![\w./`-])([a-z]+)\.([a-z][a-z_0-9]*)\b(?![./(])", block):
                full = f"{schema}.{table}"
                if schema in schemas and full not in known and f"{schema}/{table}" not in made and table not in FILES:
                    wrong.append(f"{name}: {full}")
            wrong += [
                f"{name}: {knob}"
                for knob in re.findall(r"--set (\w+)=", block)
                if knob not in catalog.project.knobs and knob.lower() != "knob"
            ]
    assert not wrong


@pytest.mark.parametrize("marker", ["install", "test"])
def test_gate_finds_its_commands(marker: str, documents: dict[str, str]) -> None:
    """The gate runs the first code block after each marker, and that block is one line."""
    block = re.search(rf"<!-- ci: {marker} -->\n```[a-z]*\n(.*?)\n```\n", documents["README.md"], re.DOTALL)
    assert block
    assert "\n" not in block[1]
    assert "-c constraints.txt" in block[1]


def test_helpers_see_what_is_wrong() -> None:
    page = (
        "# A b-c: d\n\nSee `tsq nosuch --x` and `.venv/bin/tsq run --models all`.\n\n    $ tsq ls && tsq show a --sql\n"
    )
    assert slugs(page) == {"a-b-c-d"}
    assert [("nosuch", {"--x"}), ("run", {"--models"}), ("ls", set()), ("show", {"--sql"})] == sorted(
        calls(page), key=lambda call: ["nosuch", "run", "ls", "show"].index(call[0])
    )
