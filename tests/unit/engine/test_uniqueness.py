from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsq.engine import uniqueness

Rows = Sequence[tuple[int, ...]]


def proven(rows: Rows, grain: tuple[str, ...] = ("day", "id")) -> bool:
    with duckdb.connect() as con:
        con.execute("set preserve_insertion_order = false")
        con.execute("create schema s")
        con.execute(f"create table s.t ({', '.join(f'{column} integer' for column in grain)})")
        if rows:
            con.executemany(f"insert into s.t values ({', '.join('?' for _ in grain)})", rows)
        return uniqueness.proven(con, "s.t", grain)


@pytest.mark.parametrize(
    ("rows", "is_proven"),
    [
        ([], True),
        ([(1, 1), (2, 1), (1, 2), (2, 2)], True),  # by id, days rising
        ([(1, 1), (1, 2), (2, 1), (2, 2)], True),  # by day
        ([(1, 2), (2, 2), (5, 1), (3, 2), (4, 2)], True),  # id 2 in two runs that lie apart
        ([(1, 1), (2, 1), (2, 1)], False),
        ([(1, 1), (2, 1), (5, 2), (2, 1)], False),  # the same key in two runs
    ],
)
def test_runs_that_rise_and_lie_apart_are_a_proof(rows: Rows, is_proven: bool) -> None:
    assert proven(rows) is is_proven


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3)), max_size=12), st.sampled_from([None, 0, 1]))
def test_a_proof_is_never_wrong(rows: list[tuple[int, int]], sorted_by: int | None) -> None:
    if sorted_by is not None:
        rows = sorted(rows, key=lambda row: (row[sorted_by], row[1 - sorted_by]))
    if proven(rows):
        assert len(set(rows)) == len(rows)
    elif sorted_by is not None:
        assert len(set(rows)) < len(rows)


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 2), st.integers(1, 2)), max_size=10), st.booleans())
def test_nor_of_three_columns(rows: list[tuple[int, int, int]], is_sorted: bool) -> None:
    rows = sorted(rows) if is_sorted else rows
    if proven(rows, ("day", "book", "id")):
        assert len(set(rows)) == len(rows)
    elif is_sorted:
        assert len(set(rows)) < len(rows)


def test_one_column_is_left_to_counting() -> None:
    assert not proven([(1,), (2,)], ("day",))
