"""`tsq run --verify RUN` and `--verify-skips`: build everything aside and compare with what a run made."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

import typer

from tsq import config
from tsq.cli import workspace
from tsq.engine import builds, verify
from tsq.engine import manifest as manifests
from tsq.engine.graph import Graph
from tsq.engine.manifest import Manifest
from tsq.engine.plan import Inputs, Plan
from tsq.engine.verify import Difference
from tsq.engine.warehouse import Machine
from tsq.errors import FAILED, TsqError


def verify_run(root: Path | None, word: str, *, threads: int | None, memory_limit: str | None, as_json: bool) -> None:
    """Rebuild a run from its own knobs, substitutes, as-of and files with the models of today, and compare every table.

    Raises:
        TsqError: there is no such run, a file it read is gone, or a table differs.
    """
    project, machine = config.load(root), Machine(threads, memory_limit)
    build = builds.resolve(project.pointer, word)
    before = manifests.read(build.with_suffix(".json"))
    knobs = [(name, _listed(value), f"the run {before.run_id}") for name, value in before.knobs.items()]
    known = config.override(project, [knob for knob in knobs if knob[0] in project.knobs])
    graph = workspace.graph_of(replace(known, substitutes=before.substitutes))
    after = _rebuild(graph, _inputs(graph, before), [model.name for model in before.models], machine)
    _judge(before, after, as_json=as_json)


def verify_skips(plan: Plan, made: Manifest, machine: Machine) -> None:
    """Rebuild what a run has published and compare: what it did not build must be what it would have built.

    Raises:
        TsqError: a table differs.
    """
    after = _rebuild(plan.graph, plan.inputs, [model.name for model in made.models], machine)
    _judge(made, after, as_json=False)


def _rebuild(graph: Graph, inputs: Inputs, names: list[str], machine: Machine) -> Manifest:
    known = tuple(name for name in names if name in graph.nodes)
    for event in verify.rebuild(graph, inputs, known, machine):
        if isinstance(event, Manifest):
            return event
    raise AssertionError("a rebuild ends with its manifest")


def _judge(before: Manifest, after: Manifest, *, as_json: bool) -> None:
    found = verify.differences(before, after)
    if as_json:
        typer.echo(json.dumps({"run_id": before.run_id, "tables": len(after.models), "different": _told(found)}))
    if found:
        listed = "; ".join(_line(difference) for difference in found[:5])
        more = f"; and {len(found) - 5} more" if len(found) > 5 else ""
        raise TsqError(
            f"{len(found)} of {len(before.models)} tables of {before.run_id} are built otherwise now: {listed}{more}",
            hint=_hint(before, after, found),
            exit_code=FAILED,
        )
    workspace.say(f"verified: {len(after.models)} tables of {before.run_id}, rebuilt from nothing, are the same")


def _line(difference: Difference) -> str:
    rows = [f"{count:,}" if count is not None else "no" for count in (difference.rows_before, difference.rows)]
    return f"{difference.name} ({rows[0]} → {rows[1]} rows{difference.said and f', {difference.said}'})"


def _hint(before: Manifest, after: Manifest, found: tuple[Difference, ...]) -> str:
    if any(difference.said for difference in found):
        commit = before.git.get("commit")
        return (
            f"models changed since; check out {commit[:12]} to compare like with like" if commit else "models changed"
        )
    if before.packages != after.packages or before.platform != after.platform:
        return "packages or platform are others than they were: see ops.runs of both builds"
    return "nothing that should decide the rows changed: report this, and run with --full-refresh"


def _told(found: tuple[Difference, ...]) -> list[dict[str, Any]]:
    return [asdict(difference) for difference in found]


def _inputs(graph: Graph, before: Manifest) -> Inputs:
    """What that run saw: its files, as of its time.

    Raises:
        TsqError: one of them is gone.
    """
    market: Literal["real", "demo"] = "real" if before.market == "real" else "demo"
    lake = workspace.real_lake(graph) if market == "real" else workspace.demo_lake(graph)
    there = {part.path: part.sha256 for batch in lake.batches() for part in batch.parts.values()}
    for path, sha256 in before.inputs.items():
        if there.get(path) != sha256:
            raise TsqError(
                f"the run {before.run_id} read {path}, which the lake does not hold any more",
                where=lake.root,
                hint="bring it back from a backup; a demo market that was made anew is another market",
                exit_code=FAILED,
            )
    as_of = dt.datetime.fromisoformat(before.as_of) if before.as_of else None
    return Inputs(replace(lake, only=frozenset(before.inputs)), market, as_of)


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, list | tuple) else value
