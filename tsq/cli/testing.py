"""`tsq test`, and what a project's own pytest needs of it."""

from __future__ import annotations

import json
import time
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tsq.cli import workspace
from tsq.config import Project
from tsq.engine.graph import Graph, select
from tsq.errors import FAILED, TsqError

if TYPE_CHECKING:
    from tsq.engine.case_runner import Bench, Outcome
    from tsq.engine.cases import Case

CASES = Path("tests", "cases")


def run(*, root: Path | None, selection: list[str], as_json: bool) -> None:
    """Run the cases of the selected models; exits 1 when one fails."""
    from tsq.engine import case_runner, cases

    clock = time.perf_counter()
    graph = workspace.load_graph(root)
    project = graph.catalog.project
    folder = project.root / CASES
    found = cases.read_folder(folder)
    case_runner.check_cases(graph, found)
    chosen = [name for name in select(graph, selection) if name in found]
    if not chosen:
        raise TsqError("none of these models has a case", where=folder, hint="write tests/cases/<layer>.<table>.yml")
    bench = _bench(graph)
    outcomes = [case_runner.run(bench, case) for name in chosen for case in found[name]]
    failed = sum(not outcome.passed for outcome in outcomes)
    seconds = time.perf_counter() - clock
    if as_json:
        done = {"passed": len(outcomes) - failed, "failed": failed, "seconds": seconds}
        typer.echo(json.dumps({**done, "cases": [_told(outcome, project) for outcome in outcomes]}, ensure_ascii=False))
    else:
        for model, group in groupby(outcomes, key=lambda outcome: outcome.case.model):
            of_model = list(group)
            wrong = sum(not outcome.passed for outcome in of_model)
            said = f"{wrong} of {len(of_model)} failed" if wrong else f"{len(of_model)} passed"
            typer.echo(f"{model:<34} {said:<16} {1000 * sum(outcome.seconds for outcome in of_model):>6.0f} ms")
        for outcome in outcomes:
            if not outcome.passed:
                typer.echo(f"\n{case_runner.report(outcome, project.root)}")
        typer.echo(f"\n{len(outcomes) - failed} passed, {failed} failed in {seconds:.1f} s")
    if failed:
        raise typer.Exit(FAILED)


def cases_of(root: Path) -> list[Case]:
    """Every case of a project, read and not run: what pytest collects."""
    from tsq.engine import cases

    return [case for found in cases.read_folder(root / CASES).values() for case in found]


def open_bench(root: Path) -> Bench:
    """A bench on which `tsq.engine.case_runner.run` runs the cases of a project.

    Raises:
        TsqError: a mistake in the project, or a file of cases that is named after no model.
    """
    from tsq.engine import case_runner, cases

    graph = workspace.load_graph(root)
    case_runner.check_cases(graph, cases.read_folder(root / CASES))
    return _bench(graph)


def _bench(graph: Graph) -> Bench:
    from tsq.engine import bind, case_runner

    memory = graph.catalog.project.cache / "bound.json"
    return case_runner.open_bench(graph, bind.columns(graph, memory))


def _told(outcome: Outcome, project: Project) -> dict[str, object]:
    case = outcome.case
    file, _, line = case.where.rpartition(":")
    named = {"model": case.model, "name": case.name, "where": f"{workspace.shown(Path(file), project)}:{line}"}
    return {**named, "passed": outcome.passed, "seconds": outcome.seconds, "problem": list(outcome.problem)}
