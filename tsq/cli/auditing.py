"""`tsq audit`: prove that no row of any table saw its future."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import typer

from tsq.cli import running, workspace
from tsq.engine import audit, audit_build, audit_replay, bind
from tsq.engine import graph as graphs
from tsq.engine.audit import Audit, Step
from tsq.engine.audit_plants import Planted
from tsq.engine.audit_replay import Replayed
from tsq.engine.plan import Plan
from tsq.engine.warehouse import Machine
from tsq.errors import FAILED, TsqError


@dataclass(frozen=True)
class Look:
    """How closely to look, and at what of the machine's cost; `sample` rows of a dataset are enough, 0 takes all."""

    models: list[str]
    as_of: str | None
    sample: int
    wish: audit.Wish
    machine: Machine


def run(*, root: Path | None, sets: list[str], profile: str | None, look: Look, as_json: bool) -> None:
    """Audit a project and print what was found.

    Raises:
        typer.Exit: with 1 when anything is not point in time, or a planted leak was missed.
        TsqError: there is no data, or a model does not build at all.
    """
    from tsq.cli import audit_text

    clock = time.perf_counter()
    graph = workspace.load_graph(root, sets, profile)
    project = graph.catalog.project
    bind.check(graph, project.cache / "bound.json")
    plan = running.make_plan(
        graph, running.Wish(models=look.models, exclude=[], as_of=look.as_of, full_refresh=False, build=None)
    )
    inputs = plan.inputs
    if inputs.as_of is None:
        raise TsqError("there is no data to audit with", hint="`tsq run` makes a demo market; `tsq ingest` loads files")
    chosen = set(graphs.select(graph, look.models))
    wanted = chosen | graphs.reach(chosen, graph.parents)
    names = tuple(name for name in graph.nodes if name in wanted)
    whole = _whole(plan, names, look.sample)
    workspace.say(audit_text.opening(len(names), plan, whole))
    with audit_build.aside(
        graph, names, inputs.lake, inputs.as_of, look.machine, whole=whole, most_rows=look.sample
    ) as aside:
        for sample in aside.samples:
            workspace.say(audit_text.sample(sample))
        for event in audit.run(aside, inputs.as_of, look.wish, published=whole is not None):
            if isinstance(event, Audit):
                found = event
            else:
                _tell(event)
    replayed = audit_replay.newest(graph, inputs, look.machine) if chosen == set(graph.nodes) else None
    seconds = time.perf_counter() - clock
    passed = found.passed and not (replayed and replayed.different)
    if as_json:
        typer.echo(json.dumps(_plain(found, replayed, passed, seconds, project.root), ensure_ascii=False, default=str))
    else:
        audit_text.show(found, replayed, passed, seconds, project)
    if not passed:
        raise typer.Exit(FAILED)


def _whole(plan: Plan, names: tuple[str, ...], most_rows: int) -> Path | None:
    """The published build, where it is what would be built, of a lake that is not too large to be built from again."""
    rows = audit_build.rows_seen(plan.graph, names, plan.inputs.lake)
    if most_rows and max(rows.values(), default=0) > most_rows:
        return None
    return plan.base.file if plan.base and plan.nothing_to_do else None


def _tell(event: Step | Planted) -> None:
    from tsq.cli import audit_text

    workspace.say(audit_text.step(event) if isinstance(event, Step) else audit_text.planted(event))


def _plain(found: Audit, replayed: Replayed | None, passed: bool, seconds: float, root: Path) -> dict[str, Any]:
    body = asdict(found)
    for finding in body["findings"]:
        file = Path(finding["file"])
        finding["file"] = file.relative_to(root).as_posix() if file.is_relative_to(root) else str(file)
    for plant, said in zip(found.planted, body["planted"], strict=True):
        said["caught"], said["void"] = plant.caught, plant.void
    return {"passed": passed, "seconds": round(seconds, 2), **body, "replay": asdict(replayed) if replayed else None}
