from __future__ import annotations

from pathlib import Path

import pytest

from tsq.engine import snapshots, warehouse
from tsq.engine.snapshots import Snapshot, compare, parse, take, write
from tsq.errors import TsqError

FILE = Path("mart.x.csv")


def snap(query: str, *key: str) -> Snapshot:
    con = warehouse.connect()
    con.execute("create schema mart")
    con.execute(f"create table mart.x as {query}")
    return take(con, "mart.x", key)


MANY = "select i as k, i * 0.5::double as v, 'name ' || i as name from range({n}) as t (i)"


def test_values_are_canonical_text() -> None:
    made = snap(
        """
        from (values
            (2, 1 / 3::double, -0.0::double, 'a,"b', date '2024-01-02'),
            (1, 123456789012.0::double, 'nan'::double, '', null),
            (3, 1e-300::double, null, null, null)
        ) as t (k, x, y, name, day)
        """,
        "k",
    )
    assert list(made.rows.values()) == [
        ("1", "1.23456789e+11", "nan", "''", ""),
        ("2", "0.333333333", "0", 'a,"b', "2024-01-02"),
        ("3", "1e-300", "", "", ""),
    ]


def test_a_snapshot_reads_back_as_it_was() -> None:
    made = snap("from (values (1, 'a,b', 0.5::double), (2, e'x\\ny', null)) as t (k, name, x)", "k")
    assert parse(write("mart.x", made), FILE) == made
    large = snap(MANY.format(n=1000), "k")
    assert large.one_in > 1
    assert parse(write("mart.x", large), FILE) == large
    nothing = snap("select 1 as k where false", "k")
    assert parse(write("mart.x", nothing), FILE) == nothing


def test_the_order_of_rows_and_threads_leaves_no_trace() -> None:
    query = MANY.format(n=500)
    assert write("x", snap(f"{query} order by k", "k")) == write("x", snap(f"{query} order by name", "k"))


def test_the_tenth_digit_does_not_count_and_the_ninth_does() -> None:
    same = snap("select 1 as k, 1.00000000001::double as x", "k")
    assert compare(snap("select 1 as k, 1.0::double as x", "k"), same) == []
    other = snap("select 1 as k, 1.00000001::double as x", "k")
    assert compare(same, other) == ["changed: 1 of the rows shown", "  k 1: x 1 → 1.00000001"]


def test_a_large_table_shows_the_same_rows_when_others_come_and_go() -> None:
    before, after = snap(MANY.format(n=1000), "k"), snap(MANY.format(n=1010) + " where i != 5", "k")
    assert before.one_in == after.one_in
    assert 50 < len(before.rows) <= 200
    common = {key for key in before.rows if key != ("5",)}
    assert {key for key in after.rows if int(key[0]) < 1000} == common


def test_what_is_not_shown_does_not_escape() -> None:
    before = snap(MANY.format(n=1000), "k")
    hidden = next(i for i in range(1000) if (str(i),) not in before.rows)
    query = f"select k, if(k = {hidden}, v + 1, v) as v, name from ({MANY.format(n=1000)})"
    assert compare(before, snap(query, "k")) == ["other values in rows that are not shown: v"]
    swapped = f"select k, if(k = {hidden}, 'x', name) as name, v from ({MANY.format(n=1000)})"
    assert compare(before, snap(swapped, "k")) == [
        "order of columns: k, name, v",
        "other values in rows that are not shown: name",
    ]


def test_equal_values_of_other_rows_are_another_content() -> None:
    before = snap("from (values (1, 'a'), (2, 'b')) as t (k, v)", "k")
    after = snap("from (values (1, 'b'), (2, 'a')) as t (k, v)", "k")
    assert before.columns["v"] != after.columns["v"]


def test_differences_are_told_by_key_and_column() -> None:
    before = snap("from (values (1, 'a', 1), (2, 'b', 2), (3, null, 3)) as t (k, v, gone)", "k")
    after = snap("from (values (1, 'z', 1.5::double), (3, '', 2.5), (4, 'd', 1.0)) as t (k, v, more)", "k")
    assert compare(before, after) == [
        "column gone: gone",
        "column new: more DOUBLE",
        "changed: 2 of the rows shown",
        "  k 1: v a → z",
        "  k 3: v null → ''",
        "new: 1 of the rows shown",
        "  k 4",
        "gone: 1 of the rows shown",
        "  k 2",
    ]


def test_another_type_or_number_of_rows_is_told() -> None:
    before = snap("select 1::bigint as k, 1 as v", "k")
    after = snap("from (values (1, 1::double), (2, 2.0)) as t (k, v)", "k")
    assert compare(before, after)[:3] == ["rows: 1 → 2", "column k: BIGINT → INTEGER", "column v: INTEGER → DOUBLE"]


def test_many_differences_are_counted() -> None:
    before, after = snap(MANY.format(n=100), "k"), snap(f"select k, v + 1 as v, name from ({MANY.format(n=100)})", "k")
    lines = compare(before, after)
    assert lines[0] == "changed: 100 of the rows shown"
    assert lines[-1] == "  … and 90 more"
    assert len(lines) == 12


def test_rows_without_a_key_are_told_apart_by_all_they_hold() -> None:
    made = snap("from (values (1), (1), (2)) as t (v)")
    assert list(made.rows) == [("1",), ("1", "2"), ("2",)]
    assert parse(write("x", made), FILE) == made


@pytest.mark.parametrize(
    "text",
    ["", "hello\n", "# mart.x: many rows\n", "# mart.x: 1 rows, all shown\n# key: k\n# k  00  INTEGER\nother\n1\n"],
)
def test_what_is_no_snapshot_is_refused(text: str) -> None:
    with pytest.raises(TsqError, match="is not a snapshot"):
        parse(text, FILE)


def test_snapshots_are_small() -> None:
    assert snapshots.WHOLE <= 200
    assert len(snap(MANY.format(n=100_000), "k").rows) < 250


def test_columns_may_have_any_name() -> None:
    told = snap("select 1 as id, 'a' as place, 'b' as key_text, 'c' as \"#\"", "id")
    assert told.rows == {("1",): ("1", "a", "b", "c")}
