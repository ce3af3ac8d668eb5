"""`tsq run` and `tsq report`."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

import typer

from tsq import config
from tsq.cli import loading, workspace
from tsq.config import Project
from tsq.engine import builds
from tsq.engine import plan as plans
from tsq.engine.graph import Graph
from tsq.engine.plan import Inputs, Plan


def run(
    *,
    root: Path | None,
    models: list[str],
    as_of: str | None,
    sets: list[str],
    profile: str | None,
    full_refresh: bool,
    threads: int | None,
    memory_limit: str | None,
    with_report: bool,
    as_json: bool,
) -> None:
    """Plan, build, publish, report; make the demo market first when there is no data at all."""
    clock = time.perf_counter()
    graph = workspace.load_graph(root, sets, profile)
    project = graph.catalog.project
    path, note = project.pointer, None
    plan = _plan(graph, models, as_of, full_refresh)
    if not plan.nothing_to_do:
        with builds.locked(project.warehouse):
            market = workspace.market(graph)
            if market.kind == "demo" and not market.lake.batches():
                loading.make_demo(project, market.lake, "default")
            # anew: until the lock was ours, another run may have ended
            plan = _plan(graph, models, as_of, full_refresh)
            if not plan.nothing_to_do:
                path, note = _build(plan, threads, memory_limit)
    if plan.nothing_to_do and plan.base:
        say(f"nothing to do: {plan.base.run_id} is up to date")
    if note:
        say(note)
    index = project.reports / "out" / "index.html"
    if with_report and not (plan.nothing_to_do and _has_report(project)):
        report_files(project)
    seconds = time.perf_counter() - clock
    if as_json:
        manifest = builds.trusted_manifest(project.pointer)
        ended = {"warehouse": str(path), "seconds": seconds, "manifest": asdict(manifest) if manifest else None}
        typer.echo(json.dumps(ended, default=str))
        return
    market_name = "demo market" if plan.inputs.market == "demo" else "real data"
    typer.echo(f"warehouse  {workspace.shown(path, project)}   {market_name}, {_as_of(plan)}")
    if with_report:
        typer.echo(f"report     {workspace.shown(index, project)}")
    say(f"done in {seconds:.1f} s")


def report(*, root: Path | None) -> None:
    """Write the pages of the published warehouse."""
    project = config.load(root)
    for path in report_files(project):
        typer.echo(workspace.shown(path, project))


def report_files(project: Project) -> tuple[Path, ...]:
    """Write the pages, say what they could not show; returns the files."""
    from tsq.report import make_site

    site = make_site(project.pointer, project.reports / "pages", project.reports / "out")
    for problem in site.problems:
        say(f"{problem.page}: {problem.what}\n  in:   {problem.where}\n  hint: {problem.hint}")
    return site.files


def say(text: str) -> None:
    """A line for people, on stderr."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _plan(graph: Graph, models: list[str], as_of: str | None, full_refresh: bool) -> Plan:
    market = workspace.market(graph)
    moment = workspace.parse_time(as_of) if as_of else market.lake.newest_known_at()
    base = builds.trusted_manifest(graph.catalog.project.pointer)
    inputs = Inputs(market.lake, market.kind, moment)
    return plans.make(graph, inputs, models, base, full_refresh=full_refresh)


def _as_of(plan: Plan) -> str:
    moment = plan.inputs.as_of
    return f"as of {moment.astimezone(workspace.INDIA):%Y-%m-%d %H:%M} IST" if moment else "no data"


def _build(plan: Plan, threads: int | None, memory_limit: str | None) -> tuple[Path, str | None]:
    from tsq.cli.progress import Progress
    from tsq.engine import runner
    from tsq.engine.warehouse import Machine

    carried = sum(step.action == "carry" for step in plan.steps)
    if carried:
        say(f"{carried} of {len(plan.steps)} tables unchanged")
    for name in plan.left_out:
        say(f"left out: {name} is not selected and no longer up to date")
    with Progress(len(plan.steps) - carried) as progress:
        for event in runner.run(plan, Machine(threads, memory_limit)):
            if isinstance(event, runner.Published):
                published = event
            elif event.action != "carry":
                progress.advance(event)
    return published.pointed.path, published.pointed.note


def _has_report(project: Project) -> bool:
    index = project.reports / "out" / "index.html"
    pages = [path.stat().st_mtime for path in (project.reports / "pages").glob("*")]
    built = project.pointer.stat().st_mtime
    return index.exists() and index.stat().st_mtime >= max([built, *pages])
