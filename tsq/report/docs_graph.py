"""The graph of tables as bands to draw: a layer is a band, and in it a table stands right of what it reads there.

So every edge points down or to the right. Tables that are free to change places stand near what they read and what
reads them (the barycentre rule of Sugiyama, Tagawa and Toda, 1981), which keeps most edges short and apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

SWEEPS = 4


@dataclass(frozen=True)
class Band:
    """A layer's tables, from left to right."""

    layer: str
    names: tuple[str, ...]


def bands(layers: Mapping[str, Sequence[str]], reads: Mapping[str, Iterable[str]]) -> tuple[Band, ...]:
    """Lay out a graph.

    Args:
        layers: layer → its tables, uppermost layer first; a table reads only its own layer and those above.
        reads: table → tables it reads; names that stand in no layer are passed over.

    Returns:
        One band a layer that has tables, in the order given; the same graph always looks the same.
    """
    rows = {layer: tuple(names) for layer, names in layers.items() if names}
    known = {name for names in rows.values() for name in names}
    above = {name: [read for read in reads.get(name, ()) if read in known] for name in known}
    below: dict[str, list[str]] = {name: [] for name in known}
    for name, few in above.items():
        for read in few:
            below[read].append(name)
    depths = {name: depth for names in rows.values() for name, depth in _depths(names, above).items()}
    place = {name: _across(names, index) for names in rows.values() for index, name in enumerate(names)}
    for sweep in range(SWEEPS):
        near, order = (above, list(rows)) if sweep % 2 == 0 else (below, list(reversed(rows)))
        for layer in order:
            wish = {name: _mean([place[other] for other in near[name]], place[name]) for name in rows[layer]}
            ranked = sorted((depths[name], wish[name], name) for name in rows[layer])
            rows[layer] = tuple(name for _, _, name in ranked)
            place.update({name: _across(rows[layer], index) for index, name in enumerate(rows[layer])})
    return tuple(Band(layer, names) for layer, names in rows.items())


def _depths(names: Sequence[str], above: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """Longest way from each table back to one that reads nothing of its own layer."""
    within = set(names)
    depths: dict[str, int] = {}

    def depth(name: str) -> int:
        if name not in depths:
            depths[name] = max((depth(read) + 1 for read in above[name] if read in within), default=0)
        return depths[name]

    return {name: depth(name) for name in names}


def _across(row: Sequence[str], index: int) -> float:
    return (index + 0.5) / len(row)


def _mean(places: Sequence[float], otherwise: float) -> float:
    return sum(places) / len(places) if places else otherwise
