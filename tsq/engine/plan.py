"""What a run would do: which models to build, which to carry over, and why.

A model's fingerprint holds all that decides its rows: its own text and knobs, its parents' fingerprints, the content
of the sources it can see, and the versions of the engine. Two equal fingerprints are the same table.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Literal

from tsq.engine import seeds
from tsq.engine.graph import Graph, reach, select
from tsq.engine.lake import Lake
from tsq.engine.manifest import Manifest

# Raised when the engine itself starts to make other tables from the same models.
ENGINE_REVISION = "1"


@dataclass(frozen=True)
class Inputs:
    """What a run may see.

    Attributes:
        lake: the market data.
        market: `demo` or `real`.
        as_of: rows known later than this do not exist for the run; None for an empty lake.
    """

    lake: Lake
    market: Literal["demo", "real"]
    as_of: dt.datetime | None


@dataclass(frozen=True)
class Step:
    """What becomes of one model: built, carried over from the base, or carried over and checked anew."""

    name: str
    action: Literal["build", "check", "carry"]
    reason: str
    fingerprint: str


@dataclass(frozen=True)
class Plan:
    """All a run will do.

    Attributes:
        steps: models of the next build, in running order.
        left_out: tables of the base that are neither wanted nor up to date.
        base: the manifest of the build that tables are carried over from.
    """

    graph: Graph
    inputs: Inputs
    steps: tuple[Step, ...]
    left_out: tuple[str, ...]
    base: Manifest | None

    @property
    def nothing_to_do(self) -> bool:
        """Whether the published build already is what this plan would make."""
        return self.base is not None and not self.left_out and all(step.action == "carry" for step in self.steps)


def make(
    graph: Graph, inputs: Inputs, selection: Iterable[str], base: Manifest | None, *, full_refresh: bool = False
) -> Plan:
    """Plan a run.

    Args:
        graph: the project's graph.
        inputs: the data the run may see.
        selection: words of `graph.select`; what the selected models read is wanted too.
        base: the published build's manifest, if its file can be trusted.
        full_refresh: build every wanted model, whatever its fingerprint.

    Raises:
        TsqError: a selection that means nothing, or a source that is missing.
    """
    chosen = set(select(graph, selection))
    wanted = chosen | reach(chosen, graph.parents)
    known = {model.name: model for model in base.models} if base else {}
    steps: list[Step] = []
    for name, fingerprint in fingerprints(graph, inputs).items():
        done = known.get(name)
        unchanged = done is not None and done.fingerprint == fingerprint
        if done and unchanged and not (full_refresh and name in wanted):
            same = done.promises == graph.nodes[name].promise_hash
            steps.append(Step(name, "carry" if same else "check", "unchanged" if same else "new promises", fingerprint))
        elif name in wanted:
            reason = "full refresh" if unchanged else "changed" if name in known else "new"
            steps.append(Step(name, "build", reason, fingerprint))
    kept = {step.name for step in steps}
    return Plan(graph, inputs, tuple(steps), tuple(sorted(set(known) - kept)), base)


def fingerprints(graph: Graph, inputs: Inputs) -> dict[str, str]:
    """Fingerprint every model of the graph, in running order."""
    engine = f"{ENGINE_REVISION} duckdb {version('duckdb')} polars {version('polars')}"
    source_hashes = {
        source: _source_hash(graph, inputs, source) for sources in graph.sources.values() for source in sources
    }
    result: dict[str, str] = {}
    for name, node in graph.nodes.items():
        parts = [engine, node.own_hash]
        parts += [f"{parent} {result[parent]}" for parent in sorted(graph.parents[name])]
        parts += [f"{source} {source_hashes[source]}" for source in sorted(graph.sources[name])]
        result[name] = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return result


def _source_hash(graph: Graph, inputs: Inputs, source: str) -> str:
    schema, _, name = source.partition(".")
    if schema == "raw":
        return inputs.lake.source_hash(name, inputs.as_of)
    return seeds.source_hash(graph.catalog.config[name], graph.catalog.project.root)
