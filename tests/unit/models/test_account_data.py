"""What brokers report of accounts is read by the real book only: no decision or paper portfolio can see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tsq.cli import workspace
from tsq.engine.graph import Graph, reach

ROOT = Path(__file__).parents[3]
RECORDS = {"raw.fills", "raw.holdings", "raw.contract_notes"}
MAY_READ = {
    *("pit.fills", "pit.holdings", "pit.contract_notes", "health.account_faults"),
    *("book.real_events", "book.real_positions", "book.reconciliation", "book.note_checks", "book.slippage"),
    *("book.tracking", "kpis.slippage", "kpis.tracking"),
}


@pytest.fixture(scope="module")
def graph() -> Graph:
    return workspace.load_graph(ROOT)


def readers(graph: Graph) -> set[str]:
    """Every table that account records reach, over any number of tables."""
    first = {name for name in graph.nodes if RECORDS & set(graph.sources[name])}
    return first | reach(first, graph.children)


def test_only_the_real_book_reads_account_records(graph: Graph) -> None:
    assert readers(graph) == MAY_READ


def test_no_decision_is_among_its_readers(graph: Graph) -> None:
    layers = {"features", "universe", "factors", "signals", "alpha", "portfolio", "risk"}
    assert not {name for name in readers(graph) if name.split(".")[0] in layers}
    assert "book.events" not in readers(graph)
