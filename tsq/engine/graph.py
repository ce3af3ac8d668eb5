"""Which model reads which, in what order they run, and which of them a selection means."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from tsq.engine import places
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


def select(
    graph: Graph,
    selection: Iterable[str],
    *,
    exclude: Iterable[str] = (),
    changed: Collection[str] | Callable[[], Collection[str]] | None = None,
) -> tuple[str, ...]:
    """Find the models a selection means.

    Args:
        graph: the graph.
        selection: words, or several in one with commas or spaces: `all`, `layer.table`, a bare table name, `layer/`,
            `tag:x`, `state:changed`; `+x` adds all that x reads, `x+` all that read x.
        exclude: words of what to leave out.
        changed: what `state:changed` means; a function is called only where the word stands. None: nobody can tell.

    Returns:
        Names in running order; none only where `state:changed` finds nothing changed.

    Raises:
        TsqError: a word that means nothing (with the nearest names), no word at all, or nothing left after exclusion.
    """
    words, without = _words(selection), _words(exclude)
    if not words:
        raise TsqError("the selection is empty", hint="name models, or `all`")
    chosen = set().union(*(_meant(graph, word, changed) for word in words))
    left_out = set().union(*(_meant(graph, word, changed) for word in without))
    if chosen and chosen <= left_out:
        raise TsqError(
            f"nothing is left of {' '.join(words)} without {' '.join(without)}",
            hint="exclude less; `tsq ls` shows what words mean",
        )
    return tuple(name for name in graph.nodes if name in chosen - left_out)


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


def _words(items: Iterable[str]) -> list[str]:
    return [word for item in items for word in item.replace(",", " ").split()]


def _meant(graph: Graph, word: str, changed: Collection[str] | Callable[[], Collection[str]] | None) -> set[str]:
    """The models one word means, with what its plus signs add."""
    base = word.removeprefix("+").removesuffix("+")
    kind, colon, value = base.partition(":")
    if not colon:
        names = _named(graph, base)
    elif kind == "tag":
        names = _tagged(graph, value)
    elif base == "state:changed":
        names = _changed(graph, changed)
    else:
        raise TsqError(f"{word} selects nothing", hint=did_you_mean(base, ["state:changed", *_tag_words(graph)]))
    found = set(names)
    if word.startswith("+"):
        found |= reach(names, graph.parents)
    if word.endswith("+"):
        found |= reach(names, graph.children)
    return found


def _named(graph: Graph, base: str) -> set[str]:
    if base == "all":
        return set(graph.nodes)
    layer = base.removesuffix("/")
    names = {name for name in graph.nodes if name.partition(".")[0] == layer}
    if not names and base != layer and layer in graph.catalog.layers:
        raise TsqError(f"the layer {layer} has no models", hint=f"put a file into models/{layer}/")
    if not names and base == layer:
        names = {name for name in graph.nodes if base in (name, name.partition(".")[2])}
        if len(names) > 1:
            raise TsqError(f"{base} could be {' or '.join(sorted(names))}", hint="write layer.table")
    if not names:
        known = ["all", *graph.nodes, *(f"{layer}/" for layer in graph.catalog.layers)]
        known += [*(name.partition(".")[2] for name in graph.nodes), *_tag_words(graph)]
        what = f"no layer is called {layer}" if base != layer else f"no model is called {base or '+'}"
        raise TsqError(what, hint=did_you_mean(base, known))
    return names


def _tagged(graph: Graph, tag: str) -> set[str]:
    names = {name for name, node in graph.nodes.items() if tag in node.model.header.tags}
    if not names:
        raise TsqError(f"no model has the tag {tag!r}", hint=did_you_mean(f"tag:{tag}", _tag_words(graph)))
    return names


def _tag_words(graph: Graph) -> list[str]:
    return [f"tag:{tag}" for node in graph.nodes.values() for tag in node.model.header.tags]


def _changed(graph: Graph, changed: Collection[str] | Callable[[], Collection[str]] | None) -> set[str]:
    if changed is None:
        raise TsqError("what changed is not known here", hint="`tsq plan` and `tsq run` know state:changed")
    return set(changed() if callable(changed) else changed) & graph.nodes.keys()


def _check_read(node: Compiled, read: str, catalog: Catalog, compiled: Mapping[str, Compiled]) -> None:
    schema, _, table = read.partition(".")
    layer = catalog.layers[node.model.layer]
    if read in compiled:
        if _position(compiled[read], catalog) > _position(node, catalog):
            order = " → ".join(catalog.layers)
            raise TsqError(
                f"{node.name} reads uphill from {read}",
                where=_place(node, read),
                hint=f"layers read downhill only: {order}",
            )
    elif schema == "raw" and table in catalog.raw:
        if layer.name not in catalog.raw_readers:
            readers = ", ".join(sorted(catalog.raw_readers))
            raise TsqError(
                f"{node.name} reads {read}",
                where=_place(node, read),
                hint=f"only {readers} may read raw data; read pit.* instead",
            )
    elif not (schema == "config" and table in catalog.config):
        known = [*compiled, *(f"raw.{name}" for name in catalog.raw), *(f"config.{name}" for name in catalog.config)]
        raise TsqError(
            f"{node.name} reads {read}, which nothing makes", where=_place(node, read), hint=did_you_mean(read, known)
        )
    if read not in compiled and node.model.header.kind == "view":
        raise TsqError(
            f"{node.name} is a view of {read}, which a published build does not hold",
            where=_place(node, read),
            hint="make it `kind: table`: views look at tables of the same build",
        )


def _position(node: Compiled, catalog: Catalog) -> int:
    """Where a table stands in the order of layers: at its folder's place, or at the one its header names."""
    return catalog.layers[node.model.header.place or node.model.layer].position


def _place(node: Compiled, read: str) -> str:
    """Where a model names a table it reads."""
    return places.written(node.model, node.sql, node.lines, read)


def _order(parents: Mapping[str, tuple[str, ...]], compiled: Mapping[str, Compiled]) -> list[str]:
    sorter = TopologicalSorter(parents)
    try:
        sorter.prepare()
    except CycleError as error:
        circle = list(reversed(error.args[1]))
        raise TsqError(
            f"models read each other in a circle: {' → '.join(circle)}",
            where=_place(compiled[circle[0]], circle[1]),
            hint="a table cannot need itself; move what they share into a table both read",
        ) from None
    position = {name: place for place, name in enumerate(compiled)}
    order: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=position.__getitem__)
        order += ready
        sorter.done(*ready)
    return order
