"""The graph as bands: downhill, to the right, near one another, always the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tsq.report import docs_graph
from tsq.report.docs_graph import Band

LAYERS = ("raw", "pit", "kpis")


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Layers of tables, each reading some of those before it."""
    layers = {layer: [f"{layer}.t{n}" for n in range(draw(st.integers(0, 6)))] for layer in LAYERS}
    names = [name for few in layers.values() for name in few]
    reads = {
        name: draw(st.lists(st.sampled_from(names[:index]), unique=True, max_size=4)) if index else []
        for index, name in enumerate(names)
    }
    return {layer: draw(st.permutations(few)) for layer, few in layers.items()}, reads


@given(graphs())
def test_every_table_stands_once_and_right_of_what_it_reads(
    graph: tuple[dict[str, list[str]], dict[str, list[str]]],
) -> None:
    layers, reads = graph
    bands = docs_graph.bands(layers, reads)
    assert [band.layer for band in bands] == [layer for layer, names in layers.items() if names]
    assert all(sorted(band.names) == sorted(layers[band.layer]) for band in bands)
    place = {name: index for band in bands for index, name in enumerate(band.names)}
    for name, few in reads.items():
        for read in few:
            if read.partition(".")[0] == name.partition(".")[0]:
                assert place[read] < place[name]
    assert docs_graph.bands(layers, reads) == bands


def test_tables_stand_near_what_they_read() -> None:
    layers = {"raw": ["raw.a", "raw.b", "raw.c"], "pit": ["pit.c", "pit.b", "pit.a"]}
    reads = {f"pit.{name}": [f"raw.{name}"] for name in "abc"}
    upper, lower = docs_graph.bands(layers, reads)
    assert [name[-1] for name in upper.names] == [name[-1] for name in lower.names]


def test_names_outside_the_graph_are_passed_over() -> None:
    assert docs_graph.bands({"pit": ["pit.a"], "kpis": []}, {"pit.a": ["gone.b"]}) == (Band("pit", ("pit.a",)),)
