"""Which model reads which, in what order they run, and which of them a selection means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from tsq.engine.catalog import Catalog
from tsq.engine.compile import Compiled
from tsq.errors import TsqError, did_you_mean


@dataclass(frozen=True)
class Graph:
    """The checked graph of a project.

    Attributes:
        nodes: compiled models by name, in an order in which they can run.
        parents: model → models it reads.
        children: model → models that read it.
        sources: model → `raw.*` and `config.*` it reads.
    """

    catalog: Catalog
    nodes: Mapping[str, Compiled]
    parents: Mapping[str, tuple[str, ...]]
    children: Mapping[str, tuple[str, ...]]
    sources: Mapping[str, tuple[str, ...]]


def build(catalog: Catalog, compiled: Mapping[str, Compiled]) -> Graph:
    """Join models to what they read.

    Raises:
        TsqError: an unknown table (with the nearest names), a read uphill or of raw data by a layer that may not, or
            a cycle.
    """
    parents = {name: tuple(read for read in node.reads if read in compiled) for name, node in compiled.items()}
    for node in compiled.values():
        for read in node.reads:
            _check_read(node, read, catalog, compiled)
    order = _order(parents, compiled)
    children: dict[str, list[str]] = {name: [] for name in order}
    for name in order:
        for parent in parents[name]:
            children[parent].append(name)
    sources = {name: tuple(read for read in compiled[name].reads if read not in compiled) for name in order}
    return Graph(
        catalog,
        {name: compiled[name] for name in order},
        parents,
        {name: tuple(readers) for name, readers in children.items()},
        sources,
    )


def select(graph: Graph, selection: Iterable[str]) -> tuple[str, ...]:
    """Find the models a selection means.

    Args:
        graph: the graph.
        selection: words, or several in one with commas or spaces: `all`, `layer.table`, a bare table name, `layer/`;
            `+x` adds all that x reads, `x+` all that read x.

    Returns:
        Names in running order.

    Raises:
        TsqError: a word that means nothing (with the nearest names).
    """
    chosen: set[str] = set()
    for word in (part for item in selection for part in item.replace(",", " ").split()):
        base = word.strip("+")
        names = _match(graph, base)
        if not names:
            known = ["all", *graph.nodes, *(f"{layer}/" for layer in graph.catalog.layers)]
            raise TsqError(
                f"no model is called {base}",
                hint=did_you_mean(base, [*known, *(name.partition(".")[2] for name in graph.nodes)]),
            )
        chosen |= names
        if word.startswith("+"):
            chosen |= reach(names, graph.parents)
        if word.endswith("+"):
            chosen |= reach(names, graph.children)
    return tuple(name for name in graph.nodes if name in chosen)


def reach(start: Iterable[str], edges: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Everything that can be reached from `start` along `edges`, without `start` unless an edge leads back."""
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        for name in edges[waiting.pop()]:
            if name not in found:
                found.add(name)
                waiting.append(name)
    return found


def _match(graph: Graph, base: str) -> set[str]:
    if base == "all":
        return set(graph.nodes)
    layer = base.rstrip("/")
    if layer in graph.catalog.layers:
        return {name for name in graph.nodes if name.partition(".")[0] == layer}
    return {name for name in graph.nodes if base in (name, name.partition(".")[2])}


def _check_read(node: Compiled, read: str, catalog: Catalog, compiled: Mapping[str, Compiled]) -> None:
    schema, _, table = read.partition(".")
    layer = catalog.layers[node.model.layer]
    if read in compiled:
        if catalog.layers[schema].position > layer.position:
            order = " → ".join(catalog.layers)
            raise TsqError(
                f"{node.name} reads uphill from {read}",
                where=node.model.path,
                hint=f"layers read downhill only: {order}",
            )
    elif schema == "raw" and table in catalog.raw:
        if layer.name not in catalog.raw_readers:
            readers = ", ".join(sorted(catalog.raw_readers))
            raise TsqError(
                f"{node.name} reads {read}",
                where=node.model.path,
                hint=f"only {readers} may read raw data; read pit.* instead",
            )
    elif not (schema == "config" and table in catalog.config):
        known = [*compiled, *(f"raw.{name}" for name in catalog.raw), *(f"config.{name}" for name in catalog.config)]
        raise TsqError(
            f"{node.name} reads {read}, which nothing makes", where=node.model.path, hint=did_you_mean(read, known)
        )
    if read not in compiled and node.model.header.kind == "view":
        raise TsqError(
            f"{node.name} is a view of {read}, which a published build does not hold",
            where=node.model.path,
            hint="make it `kind: table`: views look at tables of the same build",
        )


def _order(parents: Mapping[str, tuple[str, ...]], compiled: Mapping[str, Compiled]) -> list[str]:
    sorter = TopologicalSorter(parents)
    try:
        sorter.prepare()
    except CycleError as error:
        circle = list(reversed(error.args[1]))
        raise TsqError(
            f"models read each other in a circle: {' → '.join(circle)}",
            where=compiled[circle[0]].model.path,
            hint="a table cannot need itself; move what they share into a table both read",
        ) from None
    position = {name: place for place, name in enumerate(compiled)}
    order: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=position.__getitem__)
        order += ready
        sorter.done(*ready)
    return order
