"""What earlier runs recorded, made again: a run of the past, from the files it saw, as of its time, hash for hash."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from tsq.engine import builds, verify
from tsq.engine import plan as plans
from tsq.engine.graph import Graph
from tsq.engine.manifest import Manifest
from tsq.engine.plan import Inputs
from tsq.engine.verify import Difference
from tsq.engine.warehouse import Machine


@dataclass(frozen=True)
class Replayed:
    """The newest run of an earlier time that was made again.

    Attributes:
        run_id: that run; None where none could be.
        as_of: what it knew.
        tables: tables that were made again.
        different: those that are other tables now.
        skipped: kept runs of an earlier time whose models, settings or files are not those of today.
    """

    run_id: str | None
    as_of: dt.datetime | None
    tables: int
    different: tuple[Difference, ...]
    skipped: int


def newest(graph: Graph, inputs: Inputs, machine: Machine) -> Replayed:
    """Make the newest kept run of an earlier time again, if its models are still those of today.

    Raises:
        TsqError: it does not build.
    """
    skipped = 0
    for kept in builds.kept(graph.catalog.project.pointer):
        before = kept.manifest
        if before is None or before.market != inputs.market or not before.as_of or not inputs.as_of:
            continue
        as_of = dt.datetime.fromisoformat(before.as_of)
        if as_of >= inputs.as_of:
            continue
        seen = replace(inputs, lake=replace(inputs.lake, only=frozenset(before.inputs)), as_of=as_of, observed_at=None)
        if not _same_texts(graph, before) or not _same_sources(graph, seen, before):
            skipped += 1
            continue
        *_, after = verify.rebuild(graph, seen, tuple(model.name for model in before.models), machine)
        assert isinstance(after, Manifest)
        return Replayed(before.run_id, as_of, len(after.models), verify.differences(before, after), skipped)
    return Replayed(None, None, 0, (), skipped)


def _same_texts(graph: Graph, before: Manifest) -> bool:
    """Whether each of its tables is made by the same engine from a model that says the same."""
    return bool(before.models) and all(
        model.name in graph.nodes
        and model.own_hash == graph.nodes[model.name].own_hash
        and model.engine == plans.engine()
        and set(model.parents) <= {other.name for other in before.models}
        for model in before.models
    )


def _same_sources(graph: Graph, seen: Inputs, before: Manifest) -> bool:
    """Whether the files it saw are still there and its settings are what they were."""
    there = {part.path: part.sha256 for batch in seen.lake.batches() for part in batch.parts.values()}
    if any(there.get(path) != sha256 for path, sha256 in before.inputs.items()):
        return False
    now = plans.source_hashes(graph, seen)
    return all(now.get(name) == found for model in before.models for name, found in model.sources.items())
