"""Leaks for every model of this project: each binds in the place of its model, and no kind is for a chosen few."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest

from tsq import config
from tsq.engine import bind, catalog, graph, plants
from tsq.engine.compile import compile_catalog
from tsq.engine.graph import Graph
from tsq.engine.plants import Plant

ROOT = Path(__file__).parents[3]
Columns = Mapping[str, Mapping[str, str]]


@pytest.fixture(scope="module")
def shipped() -> Graph:
    found = catalog.read(config.load(ROOT))
    return graph.build(found, compile_catalog(found))


@pytest.fixture(scope="module")
def tables(shipped: Graph) -> Columns:
    return bind.columns(shipped)


@pytest.fixture(scope="module")
def offered(shipped: Graph, tables: Columns) -> list[Plant]:
    return [
        plant for name, node in shipped.nodes.items() for plant in plants.plants(node, tables[name], shipped, tables)
    ]


@pytest.fixture(scope="module")
def con(tables: Columns) -> duckdb.DuckDBPyConnection:
    """Every table of the project, without a row."""
    con = duckdb.connect()
    con.execute(
        "set timezone = 'UTC'; attach ':memory:' as build; attach ':memory:' as raw; attach ':memory:' as config"
    )
    con.execute("use build")
    for name, columns in tables.items():
        schema, _, table = name.partition(".")
        where = f"{schema}.main" if schema in ("raw", "config") else schema
        con.execute(f"create schema if not exists {where}")
        typed = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
        con.execute(f'create table {where}."{table}" ({typed})')
    return con


def test_every_plant_has_the_columns_of_its_model(
    offered: list[Plant], tables: Columns, con: duckdb.DuckDBPyConnection
) -> None:
    other = {}
    for plant in offered:
        made = {row[0]: row[1] for row in con.execute(f"describe {plant.sql}").fetchall()}
        if list(made.items()) != list(tables[plant.model].items()):
            other[plant.model, plant.said] = made
    assert not other


def test_every_kind_is_for_models_of_several_layers(offered: list[Plant]) -> None:
    models = {leak: {plant.model for plant in offered if plant.leak == leak} for leak in plants.LEAKS}
    few = {leak: names for leak, names in models.items() if len(names) < 4}
    assert not few
    layers = {leak: {name.partition(".")[0] for name in names} for leak, names in models.items()}
    assert not {leak: names for leak, names in layers.items() if len(names) < 3}


def test_no_two_plants_of_a_model_are_the_same(offered: list[Plant]) -> None:
    assert len({(plant.model, plant.sql) for plant in offered}) == len(offered)


def test_the_same_leaks_are_planted_every_time(shipped: Graph, tables: Columns, offered: list[Plant]) -> None:
    name = "features.daily"
    again = list(plants.plants(shipped.nodes[name], tables[name], shipped, tables))
    assert again == [plant for plant in offered if plant.model == name]
    assert {plant.leak for plant in again} >= set(plants.LEAKS) - {"restated_early", "ex_date_early"}
