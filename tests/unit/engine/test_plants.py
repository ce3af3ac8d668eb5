"""Leaks made on purpose: each runs in the place of its model, shows what became known later, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb
import pytest

from tsq import config
from tsq.engine import bind, catalog, graph, plants
from tsq.engine.compile import compile_catalog
from tsq.engine.graph import Graph
from tsq.engine.plants import Plant

MakeProject = Callable[[Mapping[str, str]], Path]
RAW = """doc: Rows.
key: [day, name]
columns:
  day: {type: DATE, doc: d}
  name: {type: VARCHAR, doc: d}
  x: {type: DOUBLE, doc: d}
  n: {type: BIGINT, doc: d}
"""
DAILY = "/*---\ndate: day\ngrain: [day, name]\nknowable: day\n---\n*/\n"
# two names over six days, one of which ends after the fourth
ROWS = "insert into raw.t by name select date '2024-01-01' + i::integer as day, name, power(2, i) * f as x, 10 * i as n, 'f' as format, '2024-01-01 12:00+00'::timestamptz + to_days(i::integer) as known_at from range(6) as r(i), (values ('a', 1.0), ('b', -1.0)) as names(name, f) where name = 'a' or i < 4"


def read(root: Path) -> Graph:
    found = catalog.read(config.load(root))
    return graph.build(found, compile_catalog(found))


@pytest.fixture
def plant(make_project: MakeProject) -> Callable[..., dict[str, list[Plant]]]:
    """Plants of `base.t` by leak, for the text of that model and further files."""

    def make(model: str, **more: str) -> dict[str, list[Plant]]:
        files = {"sql/raw/t.yml": RAW, "models/base/t.sql": model}
        found = read(make_project(files | {f"{name.replace('__', '/')}.sql": text for name, text in more.items()}))
        tables = bind.columns(found)
        by_leak: dict[str, list[Plant]] = {}
        for one in plants.plants(found.nodes["base.t"], tables["base.t"], found, tables):
            by_leak.setdefault(one.leak, []).append(one)
        return by_leak

    return make


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute(
        "set timezone = 'UTC'; create schema raw; create schema base; create table raw.t (day date, name varchar, x double, n bigint, format varchar, known_at timestamptz)"
    )
    con.execute(ROWS)
    return con


def rows(con: duckdb.DuckDBPyConnection, sql: str) -> dict[tuple[int, str], object]:
    """Value by day of the month and name."""
    return {(day.day, name): x for day, name, x in con.execute(sql).fetchall()}


def test_lead(plant: Callable[..., dict[str, list[Plant]]], con: duckdb.DuckDBPyConnection) -> None:
    (found,) = plant(DAILY + "select day, name, x from raw.t")["lead"]
    assert found.column == "x"
    assert "x is that of the next row of its name" in found.said
    made = rows(con, found.sql)
    assert [made[day, "a"] for day in range(1, 7)] == [2, 4, 8, 16, 32, 32]
    assert [made[day, "b"] for day in range(1, 5)] == [-2, -4, -8, -8]


def test_centred_window(plant: Callable[..., dict[str, list[Plant]]], con: duckdb.DuckDBPyConnection) -> None:
    (found,) = plant(DAILY + "select day, name, x from raw.t")["centred_window"]
    made = rows(con, found.sql)
    assert made[3, "a"] == (1 + 2 + 4 + 8 + 16) / 5
    assert made[6, "a"] == 32  # nothing follows that it could show


def test_whole_sample_z(plant: Callable[..., dict[str, list[Plant]]], con: duckdb.DuckDBPyConnection) -> None:
    (found,) = plant(DAILY + "select day, name, x from raw.t")["whole_sample_z"]
    mean, spread = con.execute("select avg(x), stddev_samp(x) from raw.t").fetchall()[0]
    assert rows(con, found.sql)[6, "a"] == pytest.approx((32 - mean) / spread)


@pytest.mark.parametrize("where", ["day = date '2024-01-02'", "false"])
def test_a_table_without_a_future_has_only_void_plants(
    plant: Callable[..., dict[str, list[Plant]]], con: duckdb.DuckDBPyConnection, where: str
) -> None:
    sql = f"select day, name, x, n from raw.t where {where}"
    columns = {"day": "DATE", "name": "VARCHAR", "x": "DOUBLE", "n": "BIGINT"}
    found = [one for group in plant(DAILY + sql).values() for one in group]
    assert found
    for one in found:
        assert con.execute(plants.differing(f"({sql})", f"({one.sql})", columns)).fetchall() == [(0,)], one.leak
