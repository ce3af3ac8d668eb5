"""`tsq diff`: what changed between two builds, from what went in to money."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import typer

from tsq.cli import workspace
from tsq.config import Project
from tsq.engine import builds, diff_inputs
from tsq.engine import graph as graphs
from tsq.engine import manifest as manifests
from tsq.engine.diff_inputs import Input
from tsq.engine.graph import Graph
from tsq.engine.manifest import Manifest
from tsq.errors import FAILED, TsqError

_TIME = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class Side:
    """One of the two builds: the word it was asked for by, its file and its manifest."""

    word: str
    build: Path
    manifest: Manifest


def diff(
    *,
    root: Path | None,
    a: str,
    b: str,
    tables: list[str],
    examples: int,
    tolerance: float,
    exit_code: bool,
    as_json: bool,
) -> None:
    """Compare two builds and print how they differ.

    Raises:
        typer.Exit: with 1 when they differ and `exit_code` asks for it.
    """
    from tsq.cli import diff_text
    from tsq.engine import diff as differ
    from tsq.engine import warehouse
    from tsq.engine.diff_rows import Limits
    from tsq.report import money

    graph = workspace.load_graph(root)
    first, second = (_side(graph.catalog.project, word) for word in (a, b))
    questions = _questions(graph, first.manifest, second.manifest, tables)
    inputs: tuple[Input, ...] = ()
    found: tuple[differ.TableDiff, ...] = ()
    worth = money.Money()
    if first.build != second.build:
        inputs = diff_inputs.differences(first.manifest, second.manifest)
        with warehouse.open_pair(first.build, second.build) as con:
            found = tuple(differ.compare(con, first.manifest, second.manifest, questions, Limits(tolerance, examples)))
            changed = [table.name for table in found if table.status != "same"]
            worth = money.compare(con, changed, examples, tolerance)
    different = any(table.status != "same" for table in found)
    if as_json:
        answer = {
            "a": _facts(first),
            "b": _facts(second),
            "different": different,
            "inputs": [asdict(item) for item in inputs],
            "tables": [asdict(table) for table in found],
            "money": asdict(worth),
        }
        typer.echo(json.dumps(_plain(answer), ensure_ascii=False, allow_nan=False))
    else:
        for line in diff_text.lines(first, second, inputs, found, worth, bool(tables)):
            typer.echo(line)
    if exit_code and different:
        raise typer.Exit(FAILED)


def _side(project: Project, word: str) -> Side:
    build = _as_of(project, word) if _TIME.match(word) else builds.resolve(project.pointer, word)
    return Side(word, build, manifests.read(build.with_suffix(".json")))


def _as_of(project: Project, word: str) -> Path:
    """The newest build that was made as of a time.

    Raises:
        TsqError: none that is kept was.
    """
    moment = manifests.utc(workspace.parse_time(word))
    kept = [(found.build, found.manifest.as_of) for found in builds.kept(project.pointer) if found.manifest]
    found = [build for build, as_of in kept if as_of == moment]
    if not found:
        times = dict.fromkeys(f"'{workspace.in_india(as_of)}'" for _, as_of in kept if as_of)
        raise TsqError(
            f"no build that is kept was made as of {word}",
            where=project.warehouse / "builds",
            hint=f"make one: `tsq run --as-of '{word}' --build then`; kept are {', '.join(times) or 'none'}",
        )
    return found[0]


def _questions(graph: Graph, a: Manifest, b: Manifest, tables: list[str]) -> dict[str, Any]:
    """Tables to compare, in running order; those that the project no longer makes come last."""
    from tsq.engine.diff import Question

    held = [model.name for manifest in (a, b) for model in manifest.models]
    gone = [] if tables else [name for name in dict.fromkeys(held) if name not in graph.nodes]
    headers = {name: graph.nodes[name].model.header for name in graphs.select(graph, tables or ["all"])}
    known = {name: Question(header.grain, header.date, tuple(header.references)) for name, header in headers.items()}
    return {**known, **{name: Question() for name in gone}}


def _facts(side: Side) -> Mapping[str, Any]:
    manifest = side.manifest
    return {
        "word": side.word,
        "run_id": manifest.run_id,
        "as_of": manifest.as_of,
        "market": manifest.market,
        "file": str(side.build),
    }


def _plain(value: Any) -> Any:
    """As JSON has it: no NaN, no infinity, dates and nested values as text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
