"""Build everything anew, aside, and compare: whether what a run carried over or updated is what it would have built."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tsq.engine import plan as plans
from tsq.engine import runner
from tsq.engine.graph import Graph
from tsq.engine.manifest import Manifest
from tsq.engine.plan import Inputs
from tsq.engine.runner import Published, Result
from tsq.engine.warehouse import Machine


@dataclass(frozen=True)
class Difference:
    """A table that is not what it was.

    Attributes:
        said: whether the model's own text, its knobs or its engine are others than they were: then a difference is
            what one expects.
        rows: how many rows it has now; None where it is not made any more.
        rows_before: how many it had; None where it was not there.
    """

    name: str
    said: str
    rows: int | None
    rows_before: int | None


def rebuild(graph: Graph, inputs: Inputs, names: tuple[str, ...], machine: Machine) -> Iterator[Result | Manifest]:
    """Build models from nothing in a folder of their own, which is removed at the end; what is published stays.

    Yields:
        A result a model, then the manifest of what was built.

    Raises:
        TsqError: as `runner.run`.
    """
    with _aside(graph) as elsewhere:
        plan = plans.make(elsewhere, inputs, names, None)
        for event in runner.run(plan, machine):
            if isinstance(event, Result):
                yield event
            elif isinstance(event, Published):
                yield event.manifest


def differences(before: Manifest, after: Manifest) -> tuple[Difference, ...]:
    """Tables of two builds whose content differs, in the running order of the later one."""
    old = {model.name: model for model in before.models}
    new = {model.name: model for model in after.models}
    found = []
    for name in [*new, *(name for name in old if name not in new)]:
        was, now = old.get(name), new.get(name)
        if was and now and was.content == now.content:
            continue
        said = "its table is not in both"
        if was and now:
            said = "another engine" if was.engine != now.engine else "its model changed"
            said = said if (was.engine, was.own_hash) != (now.engine, now.own_hash) else ""
        found.append(Difference(name, said, now.rows if now else None, was.rows if was else None))
    return tuple(found)


@contextmanager
def _aside(graph: Graph) -> Iterator[Graph]:
    """The same graph over a project that writes to a folder of its own."""
    project = graph.catalog.project
    project.cache.mkdir(parents=True, exist_ok=True)
    store = Path(tempfile.mkdtemp(prefix="verify-", dir=project.cache))
    try:
        yield replace(graph, catalog=replace(graph.catalog, project=replace(project, store=store)))
    finally:
        shutil.rmtree(store, ignore_errors=True)
