"""`tsq test` and `tsq snapshot`."""

from __future__ import annotations

import json
import time
from itertools import groupby
from pathlib import Path

import typer

from tsq.cli import workspace
from tsq.errors import FAILED, TsqError

CASES = Path("tests", "cases")


def test(*, root: Path | None, selection: list[str], as_json: bool) -> None:
    """Run the cases of the selected models; exits 1 when one fails."""
    from tsq.engine import case_runner, cases
    from tsq.engine.graph import select

    clock = time.perf_counter()
    graph = workspace.load_graph(root)
    folder = graph.catalog.project.root / CASES
    found = cases.read_folder(folder)
    case_runner.check_cases(graph, found)
    chosen = [name for name in select(graph, selection) if name in found]
    if not chosen:
        raise TsqError(
            "no case is written for any of these models", where=folder, hint="write tests/cases/<layer>.<table>.yml"
        )
    bench = case_runner.open_bench(graph, case_runner.declared(graph))
    outcomes = [case_runner.run(bench, case) for name in chosen for case in found[name]]
    failed = sum(not outcome.passed for outcome in outcomes)
    passed, seconds = len(outcomes) - failed, time.perf_counter() - clock
    if as_json:
        listed = [
            {
                "model": outcome.case.model,
                "name": outcome.case.name,
                "where": outcome.case.where,
                "passed": outcome.passed,
                "seconds": outcome.seconds,
                "problem": list(outcome.problem),
            }
            for outcome in outcomes
        ]
        typer.echo(json.dumps({"passed": passed, "failed": failed, "seconds": seconds, "cases": listed}))
    else:
        for model, group in groupby(outcomes, key=lambda outcome: outcome.case.model):
            of_model = list(group)
            wrong = sum(not outcome.passed for outcome in of_model)
            said = f"{wrong} of {len(of_model)} failed" if wrong else f"{len(of_model)} passed"
            typer.echo(f"{model:<34} {said:<16} {1000 * sum(outcome.seconds for outcome in of_model):>6.0f} ms")
        for outcome in outcomes:
            if not outcome.passed:
                typer.echo(f"\n{case_runner.report(outcome, graph.catalog.project.root)}")
        typer.echo(f"\n{passed} passed, {failed} failed in {seconds:.1f} s")
    if failed:
        raise typer.Exit(FAILED)
