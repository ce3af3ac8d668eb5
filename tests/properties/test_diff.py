"""The difference of two tables is what a person would find with two dictionaries."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.engine import made_builds
from tsq.engine import diff, warehouse
from tsq.engine.diff import Question, TableDiff
from tsq.engine.diff_rows import Limits
from tsq.engine.warehouse import Connection

VALUES = st.tuples(
    st.none() | st.integers(-3, 3) | st.just(2**62),
    st.none() | st.floats(width=64) | st.sampled_from([0.0, -0.0, 1.0, 1.0 + 1e-12]),
    st.none() | st.sampled_from(["", "x", "y"]),
)
KEYS = st.tuples(st.integers(0, 3), st.none() | st.sampled_from(["2024-01-01", "2024-01-02"]))
TABLES = st.dictionaries(KEYS, VALUES, max_size=8)
BAGS = st.lists(st.tuples(st.integers(0, 2), st.none() | st.integers(0, 1)), max_size=8)


@pytest.fixture(scope="module")
def con() -> Iterator[Connection]:
    """Two empty databases, as a pair of builds is attached."""
    with warehouse.connect() as con:
        con.execute("set threads = 1; attach ':memory:' as a; attach ':memory:' as b")
        con.execute("create schema a.mart; create schema b.mart")
        yield con


def ask(
    con: Connection, a: list[Any], b: list[Any], columns: dict[str, str], question: Question, limits: Limits
) -> TableDiff:
    manifests = []
    for side, rows in (("a", a), ("b", b)):
        listed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        con.execute(f"create or replace table {side}.mart.t ({listed})")
        if rows:
            marks = ", ".join("?" for _ in columns)
            con.execute(
                f"insert into {side}.mart.t values {', '.join(f'({marks})' for _ in rows)}",
                [cell for row in rows for cell in row],
            )
        manifests.append(made_builds.manifest(side, made_builds.model("mart.t", side, rows=len(rows))))
    (found,) = diff.compare(con, manifests[0], manifests[1], {"mart.t": question}, limits)
    return found


def equal(a: Any, b: Any, tolerance: float) -> bool:
    if a is None or b is None:
        return a is b
    if isinstance(a, float) and isinstance(b, float):
        if math.isnan(a) or math.isnan(b):
            return math.isnan(a) and math.isnan(b)
        near = math.isfinite(a) and math.isfinite(b) and abs(b - a) <= tolerance * max(1.0, abs(a), abs(b))
        return a == b or (tolerance > 0 and near)
    return bool(a == b)


@given(TABLES, TABLES, st.booleans(), st.sampled_from([0.0, 1e-9]))
def test_by_key(con: Connection, a: dict[Any, Any], b: dict[Any, Any], start_from_a: bool, tolerance: float) -> None:
    if start_from_a:
        b = {**a, **dict(list(b.items())[:2])}
    columns = {"k": "INTEGER", "day": "DATE", "n": "BIGINT", "x": "DOUBLE", "s": "VARCHAR"}
    sides = [[(*key, *row) for key, row in side.items()] for side in (a, b)]
    found = ask(con, *sides, columns, Question(("k", "day")), Limits(tolerance, 99))
    both = [key for key in a if key in b]
    changed = {
        name: {key for key in both if not equal(a[key][place], b[key][place], tolerance if name == "x" else 0.0)}
        for place, name in enumerate(("n", "x", "s"))
    }
    rows = found.rows
    assert rows.only_a == len(a.keys() - b.keys())
    assert rows.only_b == len(b.keys() - a.keys())
    assert rows.changed == len(set().union(*changed.values()))
    assert {column.name: column.rows for column in rows.columns} == {
        name: len(keys) for name, keys in changed.items() if keys
    }
    for column in rows.columns:
        shown = {(change.key["k"], str(change.key["day"]) if change.key["day"] else None) for change in column.largest}
        assert shown == changed[column.name]
        sizes = [abs(change.difference) for change in column.largest if change.difference is not None]
        assert sizes == sorted(sizes, reverse=True)
        assert column.appeared + column.vanished == sum((c.a is None) != (c.b is None) for c in column.largest)
        ratios = [abs(c.relative) for c in column.largest if c.relative is not None]
        assert (column.most_relative is None) == (not ratios)
        assert column.most_relative is None or abs(column.most_relative.relative or 0.0) == max(ratios)
    assert (found.status == "same") == (not (rows.only_a or rows.only_b or rows.changed))


@given(BAGS, BAGS)
def test_as_bag(con: Connection, a: list[Any], b: list[Any]) -> None:
    found = ask(con, a, b, {"x": "INTEGER", "y": "INTEGER"}, Question(), Limits(0.0, 99))
    only_a, only_b = Counter(a) - Counter(b), Counter(b) - Counter(a)
    assert (found.rows.only_a, found.rows.only_b) == (only_a.total(), only_b.total())
    assert Counter((row["x"], row["y"]) for row in found.rows.examples_a) == only_a
    assert Counter((row["x"], row["y"]) for row in found.rows.examples_b) == only_b
