"""`tsq run` and `tsq report`."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import typer

from tsq import config
from tsq.cli import loading, workspace
from tsq.config import Project
from tsq.engine import builds, failed, freshness
from tsq.engine import plan as plans
from tsq.engine.graph import Graph
from tsq.engine.lake import Lake
from tsq.engine.locks import locked
from tsq.engine.manifest import Manifest
from tsq.engine.plan import Base, Inputs, Plan
from tsq.errors import TsqError


@dataclass(frozen=True)
class Wish:
    """What a run was asked for."""

    models: list[str]
    exclude: list[str]
    as_of: str | None
    full_refresh: bool
    build: str | None
    loaded_by: str | None = None


@dataclass(frozen=True)
class Work:
    """How a run goes about it: on how much of the machine, whether it waits its turn and doubts what it skips."""

    threads: int | None
    memory_limit: str | None
    wait: bool
    verify_skips: bool


@dataclass(frozen=True)
class Ended:
    """What a run left: where its build can be opened, and the plan it carried out."""

    path: Path
    plan: Plan


def run(
    *,
    root: Path | None,
    sets: list[str],
    profile: str | None,
    wish: Wish,
    work: Work,
    with_report: bool,
    as_json: bool,
) -> None:
    """Plan, build, publish, report; make the demo market first when there is no data at all."""
    clock = time.perf_counter()
    if wish.build:
        builds.check_name(wish.build)
    graph = workspace.load_graph(root, sets, profile)
    project = graph.catalog.project
    ended = bring_up(graph, wish, work)
    with_report = with_report and wish.build is None
    index = project.reports / "out" / "index.html"
    if with_report and not (ended.plan.nothing_to_do and _has_report(project)):
        report_files(project)
    seconds = time.perf_counter() - clock
    if as_json:
        manifest = builds.sound(ended.path.resolve())
        told = {"warehouse": str(ended.path), "seconds": seconds, "manifest": asdict(manifest) if manifest else None}
        typer.echo(json.dumps(told, default=str))
        return
    market_name = "demo market" if ended.plan.inputs.market == "demo" else "real data"
    typer.echo(f"warehouse  {workspace.shown(ended.path, project)}   {market_name}, {_as_of(ended.plan)}")
    if with_report:
        typer.echo(f"report     {workspace.shown(index, project)}")
    workspace.say(f"done in {seconds:.1f} s")


def bring_up(graph: Graph, wish: Wish, work: Work) -> Ended:
    """Make the wished build of a project, unless it stands already; the demo market first where there is no data.

    Raises:
        TsqError: data that are too old, another run at work, a model that does not run, a promise that is broken.
    """
    project = graph.catalog.project
    path, note = project.pointer, None
    plan = make_plan(graph, wish)
    verdicts = freshness.judge(plan.inputs.lake, plan.inputs.observed_at)
    freshness.stop(plan.inputs.lake, verdicts)
    old = freshness.warning(verdicts)
    if old:
        workspace.say(old)
    if not plan.nothing_to_do:
        with locked(project.warehouse, work.wait):
            market = workspace.market(graph)
            if market.kind == "demo" and graph.catalog.raw and not market.lake.batches():
                loading.make_demo(project, market.lake, "default")
            # anew: until the lock was ours, another run may have ended
            plan = make_plan(graph, wish)
            if not plan.nothing_to_do:
                path, note = _build(resumed(plan, graph, wish), wish.build, work)
    if plan.nothing_to_do and plan.base:
        workspace.say(f"nothing to do: {plan.base.run_id} is up to date")
        if work.verify_skips and plan.base.manifest:
            _verify(plan, plan.base.manifest, work)
        path = _named(project, plan.base, wish.build)
    failed.forget(project.warehouse / "failed", [step.name for step in plan.steps])
    if note:
        workspace.say(note)
    return Ended(path, plan)


def make_plan(graph: Graph, wish: Wish) -> Plan:
    """Plan from the build that leaves least to do: the published one, or the one that has the wished name."""
    pointer = graph.catalog.project.pointer
    market = workspace.market(graph)
    loaded_by = workspace.parse_time(wish.loaded_by) if wish.loaded_by else None
    lake = _as_loaded(market.lake, loaded_by) if loaded_by else market.lake
    asked = workspace.parse_time(wish.as_of) if wish.as_of else None
    observed_at = freshness.observation(as_of=asked or loaded_by, lives_on=market.kind == "real")
    inputs = Inputs(lake, market.kind, asked or lake.newest_known_at(), observed_at)
    bases = [plans.base_of(pointer)]
    if wish.build and wish.build in builds.names(pointer.parent / "builds"):
        manifest = builds.sound(builds.resolve(pointer, wish.build))
        bases.append(plans.from_manifest(manifest, pointer.parent / "builds") if manifest else None)
    return _best(graph, inputs, wish, bases)


def _as_loaded(lake: Lake, moment: dt.datetime) -> Lake:
    """The lake as it was loaded by a time.

    Raises:
        TsqError: nothing was loaded by then.
    """
    found = replace(lake, loaded_by=moment)
    if not found.batches():
        first = min((batch.loaded_at for batch in lake.batches()), default=None)
        raise TsqError(
            f"nothing had been loaded by {workspace.in_india(moment.isoformat())} IST",
            where=lake.root,
            hint=f"the first load was at {workspace.in_india(first.isoformat())} IST" if first else "load files first",
        )
    return found


def resumed(plan: Plan, graph: Graph, wish: Wish) -> Plan:
    """The plan that goes on with what a run left, where that leaves less to do and ends in no fewer tables."""
    from tsq.engine import scratch

    left = scratch.leftover(graph.catalog.project.warehouse / "builds")
    if left is None:
        return plan
    best = _best(graph, plan.inputs, wish, [left])
    # a run of another selection, or one whose changes are done, may have dropped what the published build holds
    holds_all = {step.name for step in plan.steps} <= {step.name for step in best.steps}
    if not holds_all or best.seconds_carried <= plan.seconds_carried:
        return plan
    workspace.say("going on with what a run that did not end has left")
    return best


def _best(graph: Graph, inputs: Inputs, wish: Wish, bases: Iterable[Base | None]) -> Plan:
    options = [
        plans.make(graph, inputs, wish.models, base, exclude=wish.exclude, full_refresh=wish.full_refresh)
        for base in bases
    ]
    return max(options, key=lambda plan: (plan.nothing_to_do, plan.seconds_carried))


def _named(project: Project, base: Base, name: str | None) -> Path:
    """Where a base is found that needs nothing done, after giving it the wished name."""
    if name is None:
        return project.pointer
    builds.name_build(project.warehouse / "builds", name, base.run_id)
    return base.file


def report(*, root: Path | None) -> None:
    """Write the pages of the published warehouse."""
    project = config.load(root)
    for path in report_files(project):
        typer.echo(workspace.shown(path, project))


def report_files(project: Project) -> tuple[Path, ...]:
    """Write the pages, say what they could not show; returns the files."""
    from tsq.report.site import make_site

    site = make_site(project.pointer, project.reports / "pages", project.reports / "out")
    for problem in site.problems:
        workspace.say(f"{problem.page}: {problem.what}\n  in:   {problem.where}\n  hint: {problem.hint}")
    return site.files


def _as_of(plan: Plan) -> str:
    moment, loaded_by = plan.inputs.as_of, plan.inputs.lake.loaded_by
    known = f"as of {moment.astimezone(workspace.INDIA):%Y-%m-%d %H:%M} IST" if moment else "no data"
    return f"{known}, loaded by {loaded_by.astimezone(workspace.INDIA):%Y-%m-%d %H:%M} IST" if loaded_by else known


def _build(plan: Plan, name: str | None, work: Work) -> tuple[Path, str | None]:
    from tsq.cli.progress import Progress
    from tsq.engine import bind, runner
    from tsq.engine.warehouse import Machine

    bind.check(plan.graph, plan.graph.catalog.project.cache / "bound.json")
    carried = sum(step.action == "carry" for step in plan.steps)
    if carried:
        workspace.say(f"{carried} of {len(plan.steps)} tables unchanged")
    for gone in plan.left_out:
        _leave(gone)
    with Progress(len(plan.steps) - carried) as progress:
        for event in runner.run(plan, Machine(work.threads, work.memory_limit), name):
            if isinstance(event, runner.Published):
                published = event
            elif isinstance(event, runner.Sealed):
                if work.verify_skips:
                    _verify(plan, event.manifest, work)
            elif event.action == "leave":
                _leave(event.name)
            elif event.action != "carry":
                progress.advance(event)
    return published.pointed.path, published.pointed.note


def _verify(plan: Plan, made: Manifest, work: Work) -> None:
    from tsq.cli import verifying
    from tsq.engine.warehouse import Machine

    verifying.verify_skips(plan, made, Machine(work.threads, work.memory_limit))


def _leave(name: str) -> None:
    workspace.say(f"left out: {name} is not selected and no longer up to date")


def _has_report(project: Project) -> bool:
    index = project.reports / "out" / "index.html"
    pages = [path.stat().st_mtime for path in (project.reports / "pages").glob("*")]
    built = project.pointer.stat().st_mtime
    return index.exists() and index.stat().st_mtime >= max([built, *pages])
