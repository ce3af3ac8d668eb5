"""What headers say of tables and columns stands in the published file, where every shell and editor shows it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tsq.cli import workspace
from tsq.engine.graph import Graph
from tsq.engine.ops_tables import TABLES
from tsq.engine.warehouse import Connection


@pytest.fixture(scope="module")
def graph(demo_project: Path) -> Graph:
    return workspace.load_graph(demo_project)


@pytest.fixture(scope="module")
def build(demo_project: Path) -> Connection:
    return duckdb.connect(str((demo_project / "warehouse" / "tsq.duckdb").resolve()), read_only=True)


def test_every_table_says_what_a_row_is(graph: Graph, build: Connection) -> None:
    said = dict(build.execute("select schema_name || '.' || table_name, comment from duckdb_tables()").fetchall())
    said |= dict(build.execute("select schema_name || '.' || view_name, comment from duckdb_views()").fetchall())
    assert {name: said[name] for name in graph.nodes} == {name: node.model.prose for name, node in graph.nodes.items()}
    assert all(node.model.prose for node in graph.nodes.values())


def test_every_promised_column_says_what_it_is_and_its_unit(graph: Graph, build: Connection) -> None:
    rows = build.execute(
        "select schema_name || '.' || table_name, column_name, comment from duckdb_columns()"
    ).fetchall()
    said = {(table, column): comment or "" for table, column, comment in rows}
    silent = []
    for name, node in graph.nodes.items():
        for column, promised in node.model.header.columns.items():
            unit = f"[{promised.unit}]" if promised.unit else ""
            if not promised.doc or promised.doc not in said[name, column] or not said[name, column].endswith(unit):
                silent.append(f"{name}.{column}")
    assert not silent


def test_every_column_of_a_model_is_promised(graph: Graph, build: Connection) -> None:
    layers = set(graph.catalog.layers)
    rows = build.execute("select schema_name, table_name, column_name, comment from duckdb_columns()").fetchall()
    assert not [f"{layer}.{table}.{column}" for layer, table, column, said in rows if layer in layers and not said]


def test_tables_of_the_run_say_what_a_row_is(build: Connection) -> None:
    rows = build.execute("select table_name, comment from duckdb_tables() where schema_name = 'ops'").fetchall()
    said = dict(rows)
    assert {name: said[name] for name in TABLES} == {name: table.doc for name, table in TABLES.items()}
    assert not [name for name, text in rows if not text]
    columns = build.execute("select table_name, column_name, comment from duckdb_columns() where schema_name = 'ops'")
    found = {(table, column): text for table, column, text in columns.fetchall()}
    assert found == {(name, column): text for name, table in TABLES.items() for column, text in table.docs.items()}
