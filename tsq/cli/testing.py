"""`tsq test` and `tsq snapshot`, and what a project's own pytest needs of them."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from tsq.cli import workspace
from tsq.engine.graph import Graph, select
from tsq.errors import FAILED, TsqError

if TYPE_CHECKING:
    from tsq.engine.case_runner import Bench, Outcome
    from tsq.engine.cases import Case

CASES = Path("tests", "cases")
SNAPSHOTS = Path("tests", "snapshots")
# When the demo market behind snapshots counts as loaded: after its last session, and the same for everybody.
LOADED_AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Finding:
    """What became of one snapshot: `lines` say what differs, `text` is what it should be now."""

    model: str
    state: Literal["same", "differs", "missing", "unused"]
    file: Path
    lines: tuple[str, ...] = ()
    text: str = ""


def test(*, root: Path | None, selection: list[str], as_json: bool) -> None:
    """Run the cases of the selected models; exits 1 when one fails."""
    from tsq.engine import case_runner, cases

    clock = time.perf_counter()
    graph = workspace.load_graph(root)
    folder = graph.catalog.project.root / CASES
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
        typer.echo(json.dumps({**done, "cases": [_told(outcome) for outcome in outcomes]}, ensure_ascii=False))
    else:
        for model, group in groupby(outcomes, key=lambda outcome: outcome.case.model):
            of_model = list(group)
            wrong = sum(not outcome.passed for outcome in of_model)
            said = f"{wrong} of {len(of_model)} failed" if wrong else f"{len(of_model)} passed"
            typer.echo(f"{model:<34} {said:<16} {1000 * sum(outcome.seconds for outcome in of_model):>6.0f} ms")
        for outcome in outcomes:
            if not outcome.passed:
                typer.echo(f"\n{case_runner.report(outcome, graph.catalog.project.root)}")
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


def snapshot(*, root: Path | None, selection: list[str], update: bool, as_json: bool) -> None:
    """Compare snapshots of the selected models, or write those that differ; exits 1 when one differs and stays."""
    clock = time.perf_counter()
    graph = workspace.load_graph(root)
    project = graph.catalog.project
    findings = compare_snapshots(graph, selection)
    off = [finding for finding in findings if finding.state != "same"]
    for finding in off if update else ():
        if finding.state == "unused":
            finding.file.unlink()
        else:
            finding.file.parent.mkdir(parents=True, exist_ok=True)
            finding.file.write_text(finding.text, encoding="utf-8", newline="\n")
    seconds = time.perf_counter() - clock
    if as_json:
        listed = [
            {"model": finding.model, "state": finding.state, "file": str(finding.file), "lines": list(finding.lines)}
            for finding in findings
        ]
        typer.echo(json.dumps({"updated": update, "seconds": seconds, "snapshots": listed}, ensure_ascii=False))
    else:
        for finding in off:
            typer.echo(_finding(finding, workspace.shown(finding.file, project), update))
        counts = {state: sum(f.state == state for f in findings) for state in ("same", "differs", "missing", "unused")}
        typer.echo(", ".join(f"{n} {state}" for state, n in counts.items() if n) + f" in {seconds:.1f} s")
        if off and not update:
            typer.echo("if that is what you meant: tsq snapshot --update, and look at the diff of tests/snapshots")
    if off and not update:
        raise typer.Exit(FAILED)


def compare_snapshots(graph: Graph, selection: Iterable[str] = ("all",)) -> list[Finding]:
    """Build the selected models on the small demo market and compare them with the snapshots there are.

    Returns:
        One finding a selected model, in running order, then the snapshots that are named after no model.
    """
    from tsq.engine import snapshots, warehouse

    chosen = select(graph, selection)
    folder = graph.catalog.project.root / SNAPSHOTS
    con = warehouse.open_readonly(build_demo(graph, chosen))
    findings = []
    try:
        for name in chosen:
            file = folder / f"{name}.csv"
            taken = snapshots.take(con, name, graph.nodes[name].model.header.grain)
            text = snapshots.write(name, taken)
            if not file.is_file():
                findings.append(Finding(name, "missing", file, (), text))
            elif file.read_text(encoding="utf-8") == text:
                findings.append(Finding(name, "same", file))
            else:
                lines = snapshots.compare(snapshots.read(file), taken) or ["the file was edited by hand"]
                findings.append(Finding(name, "differs", file, tuple(lines), text))
    finally:
        con.close()
    unused = [file for file in sorted(folder.glob("*.csv")) if file.stem not in graph.nodes]
    return [*findings, *(Finding(file.stem, "unused", file) for file in unused)]


def build_demo(graph: Graph, selection: Iterable[str]) -> Path:
    """Build models on the small demo market, in a cache of its own; the project's warehouse is left alone.

    The market is made once for each state of what makes it; a build carries over what has not changed.

    Returns:
        The build.
    """
    from tsq.engine import plan as plans
    from tsq.engine import runner
    from tsq.engine.locks import locked
    from tsq.engine.plan import Inputs
    from tsq.engine.warehouse import Machine

    cache = graph.catalog.project.warehouse / ".cache" / "snapshot"
    store = cache / _market_key(graph)
    for other in cache.glob("*"):
        if other != store:
            shutil.rmtree(other, ignore_errors=True)
    project = replace(graph.catalog.project, store=store)
    graph = replace(graph, catalog=replace(graph.catalog, project=project))
    lake = workspace.demo_lake(graph)
    with locked(store, wait=True):
        if not lake.batches():
            _make_market(graph)
        inputs = Inputs(lake, "demo", lake.newest_known_at())
        plan = plans.make(graph, inputs, selection, plans.base_of(project.pointer))
        if not plan.nothing_to_do:
            for _ in runner.run(plan, Machine()):
                pass
    return project.pointer.resolve()


def _make_market(graph: Graph) -> None:
    from tsq.ingest.batch import ingest
    from tsq.ingest.demo import write_demo

    lake = workspace.demo_lake(graph)
    files = lake.root.parent / "files"
    shutil.rmtree(files, ignore_errors=True)
    ingest(write_demo(files, size="small"), lake, now=LOADED_AT)


def _market_key(graph: Graph) -> str:
    """Hash of all that makes the small demo market: the code that writes and loads it, and the schemas."""
    package = Path(__file__).parent.parent
    code = [*package.glob("ingest/**/*.py"), package / "engine" / "lake.py", package / "engine" / "datasets.py"]
    digest = hashlib.sha256()
    for path in (*sorted(code), *(dataset.path for dataset in graph.catalog.raw.values())):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _bench(graph: Graph) -> Bench:
    from tsq.engine import bind, case_runner

    memory = graph.catalog.project.warehouse / ".cache" / "bound.json"
    return case_runner.open_bench(graph, bind.columns(graph, memory))


def _told(outcome: Outcome) -> dict[str, object]:
    case = outcome.case
    named = {"model": case.model, "name": case.name, "where": case.where}
    return {**named, "passed": outcome.passed, "seconds": outcome.seconds, "problem": list(outcome.problem)}


def _finding(finding: Finding, file: str, update: bool) -> str:
    done = {"differs": "written", "missing": "written, it is new", "unused": "removed: no model has this name"}
    said = {"differs": f"differs from {file}", "missing": f"has no {file}", "unused": f"{file} is unused"}
    head = f"{finding.model}: {done[finding.state]}" if update else f"{finding.model}: {said[finding.state]}"
    return "\n".join([head, *(f"    {line}" for line in finding.lines)])
