"""What a run would do: which models to build, which to carry over, and why.

A model's fingerprint holds all that decides its rows: its own text and knobs, the content of the tables and sources it
reads, and the versions of the engine. Two equal fingerprints are the same table. Content, not text, is what passes
from a model to its readers: where a rebuilt table turns out as it was, its readers stay.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from tsq.engine import builds, seeds
from tsq.engine.compile import Compiled
from tsq.engine.graph import Graph, reach, select
from tsq.engine.lake import Lake
from tsq.engine.manifest import BuiltModel, CheckResult, Manifest
from tsq.engine.versions import version

# Raised when the engine itself starts to make other tables from the same models.
ENGINE_REVISION = "2"
FULL_REFRESH = "full refresh"

Action = Literal["build", "follow", "check", "carry"]


@dataclass(frozen=True)
class Inputs:
    """What a run may see.

    Attributes:
        lake: the market data.
        market: `demo` or `real`.
        as_of: rows known later than this do not exist for the run; None for an empty lake.
        observed_at: the time to which the age of the data is counted; None judges none. It decides no row.
    """

    lake: Lake
    market: Literal["demo", "real"]
    as_of: dt.datetime | None
    observed_at: dt.datetime | None = None


@dataclass(frozen=True)
class Base:
    """The tables a run starts from: a build that was published or named, or what a run that did not end has done.

    Attributes:
        file: the database that holds them.
        run_id: the build; for what a run left, the build that run itself had started from.
        models: what each table is, by name.
        sources: hash of a source → what of the lake it was.
        changes: model → its content before, and the sessions that differ: of a run that did not end, so that the one
            that goes on still knows which sessions its tables moved in.
        resumed: whether it is what a run left: the file is gone on with, not copied.
    """

    file: Path
    run_id: str
    models: Mapping[str, BuiltModel]
    checks: tuple[CheckResult, ...]
    sources: Mapping[str, Any]
    manifest: Manifest | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    resumed: bool = False


@dataclass(frozen=True)
class Step:
    """What becomes of one model.

    Attributes:
        action: built; `follow`: built unless all that it reads turns out as it was; carried over and checked anew; or
            carried over.
        wanted: part of the selection, or read by it. What is not wanted is never built: it stays while it is up to
            date, and is left out when it is not.
        reason: why, in a few words.
    """

    name: str
    action: Action
    wanted: bool
    reason: str

    @property
    def stays(self) -> bool:
        """Whether the table surely is what it was."""
        return self.action in ("check", "carry")


@dataclass(frozen=True)
class Plan:
    """All a run will do.

    Attributes:
        sources: source → hash of what the run sees of it.
        steps: models of the next build, in running order.
        left_out: tables of the base that are neither wanted nor up to date.
        removed: tables of the base that no model makes any more.
        base: the tables that are carried over.
    """

    graph: Graph
    inputs: Inputs
    sources: Mapping[str, str]
    steps: tuple[Step, ...]
    left_out: tuple[str, ...]
    removed: tuple[str, ...]
    base: Base | None

    @property
    def nothing_to_do(self) -> bool:
        """Whether the base already is what this plan would make."""
        if self.base is None or self.base.resumed or self.left_out or self.removed:
            return False
        return all(step.action == "carry" for step in self.steps)

    @property
    def kept(self) -> frozenset[str]:
        """Tables of the base that are carried over, checked or updated, as far as the plan can tell."""
        nodes = self.graph.nodes
        return frozenset(
            step.name
            for step in self.steps
            if step.action != "build"
            or (nodes[step.name].model.header.kind == "incremental" and step.reason != FULL_REFRESH)
        )

    @property
    def seconds_carried(self) -> float:
        """What the tables that are surely carried over once took."""
        known = self.base.models if self.base else {}
        return sum(known[step.name].seconds for step in self.steps if step.stays)


def base_of(pointer: Path) -> Base | None:
    """The build a pointer leads to, as a base; None where there is none or its file cannot be trusted."""
    manifest = builds.trusted_manifest(pointer)
    return from_manifest(manifest, pointer.parent / "builds") if manifest else None


def from_manifest(manifest: Manifest, folder: Path) -> Base:
    """A sealed build as a base."""
    models = {model.name: model for model in manifest.models}
    file = folder / f"{manifest.run_id}.duckdb"
    return Base(file, manifest.run_id, models, manifest.checks, manifest.sources, manifest)


def make(
    graph: Graph,
    inputs: Inputs,
    selection: Iterable[str],
    base: Base | None,
    *,
    exclude: Iterable[str] = (),
    full_refresh: bool = False,
) -> Plan:
    """Plan a run.

    Args:
        graph: the project's graph.
        inputs: the data the run may see.
        selection: words of `graph.select`; what the selected models read is wanted too.
        base: the tables to start from.
        exclude: words of what is not selected.
        full_refresh: build every wanted model, whatever its fingerprint.

    Raises:
        TsqError: a selection that means nothing, or a source that is missing.
    """
    known = base.models if base else {}
    sources = source_hashes(graph, inputs)
    judge = _Judge(graph, sources, known)
    chosen = set(select(graph, selection, exclude=exclude, changed=judge.changed))
    wanted = chosen | reach(chosen, graph.parents)
    steps: dict[str, Step] = {}
    left_out: list[str] = []
    for name in graph.nodes:
        action, reason = judge.action(name, steps)
        if full_refresh and name in wanted:
            action, reason = "build", FULL_REFRESH
        if (action == "build" and name not in wanted) or not steps.keys() >= set(graph.parents[name]):
            if name in known:
                left_out.append(name)
        else:
            steps[name] = Step(name, action, name in wanted, reason)
    removed = tuple(sorted(name for name in known if name not in graph.nodes))
    return Plan(graph, inputs, sources, tuple(steps.values()), tuple(left_out), removed, base)


@dataclass(frozen=True)
class _Judge:
    graph: Graph
    sources: Mapping[str, str]
    known: Mapping[str, BuiltModel]

    def changed(self) -> frozenset[str]:
        """Models that are new, or whose own text, knobs or sources are not what they were."""
        return frozenset(name for name in self.graph.nodes if self.own_reason(name))

    def own_reason(self, name: str) -> str:
        """Why a model must be built whatever its parents do; empty where it need not."""
        done, node = self.known.get(name), self.graph.nodes[name]
        if done is None:
            return "new"
        if done.engine != engine():
            return "another engine"
        if done.own_hash != node.own_hash:
            return "changed"
        if done.sources != {source: self.sources[source] for source in node.own_reads if source in self.sources}:
            return "new data"
        return ""

    def action(self, name: str, steps: Mapping[str, Step]) -> tuple[Action, str]:
        """What a model needs, given what becomes of the models before it."""
        reason = self.own_reason(name)
        if reason:
            return "build", reason
        done = self.known[name]
        still = {parent for parent in self.graph.parents[name] if parent in steps and steps[parent].stays}
        for parent, content in done.parents.items():
            if parent in still and self.known[parent].content != content:
                return "build", f"{parent} changed"
        moving = [parent for parent in self.graph.parents[name] if parent not in still]
        if moving:
            return "follow", f"reads {', '.join(moving)}"
        held = {**self.sources, **{parent: self.known[parent].content for parent in still}}
        if done.promises != pledge(self.graph, name):
            return "check", "what it promises changed"
        seen = looks(self.graph.nodes[name], held)
        moved = sorted(read for read, content in seen.items() if done.looks.get(read) != content)
        return ("check", f"its checks look at {', '.join(moved)}") if moved else ("carry", "unchanged")


@cache
def engine() -> str:
    """What computes the tables: another one might compute others."""
    return f"{ENGINE_REVISION} duckdb {version('duckdb')} polars {version('polars')}"


def fingerprint(node: Compiled, parents: Mapping[str, str], sources: Mapping[str, str]) -> str:
    """Hash of all that decides a table's rows."""
    parts = [engine(), node.own_hash]
    parts += [f"{name} {content}" for name, content in sorted({**parents, **sources}.items())]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def pledge(graph: Graph, name: str) -> str:
    """Hash of what a table promises, and of when its days are known."""
    said = [graph.nodes[name].promise_hash, repr(graph.catalog.evening)]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def looks(node: Compiled, contents: Mapping[str, str]) -> dict[str, str]:
    """The content of what only a table's promises look at: other content, and they must be checked again.

    Args:
        node: the model.
        contents: content of tables and hashes of sources.
    """
    return {name: contents[name] for name in node.check_reads if name in contents}


def source_hashes(graph: Graph, inputs: Inputs) -> dict[str, str]:
    """The hash of each source some model reads, as the run sees it."""
    used = sorted({source for sources in graph.sources.values() for source in sources})
    return {source: _source_hash(graph, inputs, source) for source in used}


def source_states(plan: Plan) -> dict[str, Any]:
    """What of the lake each raw source of a plan is, by its hash."""
    lake, as_of = plan.inputs.lake, plan.inputs.as_of
    raw = {source: value for source, value in plan.sources.items() if source.startswith("raw.")}
    return {value: lake.source_state(source.partition(".")[2], as_of) for source, value in raw.items()}


def _source_hash(graph: Graph, inputs: Inputs, source: str) -> str:
    schema, _, name = source.partition(".")
    if schema == "raw":
        return inputs.lake.source_hash(name, inputs.as_of)
    return seeds.source_hash(graph.catalog.config[name], graph.catalog.project.root)
