from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.engine import made_builds
from tsq.engine import diff, warehouse
from tsq.engine.diff import Question, TableDiff
from tsq.engine.diff_rows import Limits
from tsq.engine.manifest import CheckResult
from tsq.errors import TsqError

T = "mart.t"
BY_ID = Question(("id",))


def compared(
    tmp_path: Path,
    a: Mapping[str, str],
    b: Mapping[str, str],
    questions: Mapping[str, Question],
    limits: Limits = Limits(),  # noqa: B008
) -> dict[str, TableDiff]:
    first = made_builds.write(tmp_path / "a.duckdb", a, "A")
    second = made_builds.write(tmp_path / "b.duckdb", b, "B")
    with warehouse.open_pair(tmp_path / "a.duckdb", tmp_path / "b.duckdb") as con:
        return {table.name: table for table in diff.compare(con, first, second, questions, limits)}


def table(tmp_path: Path, a: str, b: str, question: Question = BY_ID, **limits: Any) -> TableDiff:
    return compared(tmp_path, {T: a}, {T: b}, {T: question}, Limits(**limits))[T]


def values(rows: str) -> str:
    return f"select * from (values {rows}) t(id, v)"


def test_the_same_rows_in_another_order_are_the_same(tmp_path: Path) -> None:
    found = table(
        tmp_path,
        "select i as id, i / 3 as v, 'nan'::double as w from range(500) t(i)",
        "select i as id, i / 3 as v, 'nan'::double as w from range(500) t(i) order by i desc",
    )
    assert (found.status, found.read, found.rows_a, found.rows_b) == ("same", True, 500, 500)


def test_values_are_told_by_column_with_the_largest_first(tmp_path: Path) -> None:
    found = table(
        tmp_path,
        values("(1, 1.0::double), (2, 2.0), (3, 3.0), (4, 0.0), (5, 0.001)"),
        values("(1, 1.0::double), (2, 2.5), (3, 1.0), (4, 0.25), (5, 0.002)"),
        examples=2,
    )
    (column,) = found.rows.columns
    assert (found.status, found.rows.changed, column.name, column.rows) == ("changed", 4, "v", 4)
    assert [(change.key, change.difference) for change in column.largest] == [({"id": 3}, -2.0), ({"id": 2}, 0.5)]
    assert column.most_relative
    assert (column.most_relative.key, column.most_relative.relative) == ({"id": 5}, pytest.approx(1.0))


def test_keys_of_one_side_only_are_counted_and_shown(tmp_path: Path) -> None:
    found = table(tmp_path, values("(1, 1), (2, 2), (3, 3)"), values("(3, 3), (4, 4)"), examples=1)
    rows = found.rows
    assert (rows.only_a, rows.only_b, rows.changed) == (2, 1, 0)
    assert (rows.examples_a, rows.examples_b) == (({"id": 1},), ({"id": 4},))
    assert rows.columns == ()


def test_a_table_that_is_all_key(tmp_path: Path) -> None:
    found = table(tmp_path, "select 1 as id", "select 2 as id")
    assert (found.rows.only_a, found.rows.only_b) == (1, 1)


def test_null_differs_from_a_value_and_not_from_null(tmp_path: Path) -> None:
    found = table(
        tmp_path,
        values("(1, null), (2, 2.0::double), (3, null), (4, 'inf')"),
        values("(1, null), (2, null), (3, 3.0::double), (4, 4.0)"),
    )
    (column,) = found.rows.columns
    assert (column.rows, column.appeared, column.vanished) == (3, 1, 1)
    assert [(change.a, change.b, change.difference) for change in column.largest] == [
        (2.0, None, None),
        (None, 3.0, None),
        (math.inf, 4.0, None),
    ]
    assert column.most_relative is None


def test_a_tolerance_is_of_the_value_and_of_its_size(tmp_path: Path) -> None:
    a = values("(1, 0.0::double), (2, 1e12), (3, 'inf'), (4, 0.0), (5, 'nan')")
    b = values("(1, 1e-10::double), (2, 1e12 + 100), (3, '-inf'), (4, 1e-8), (5, 'nan')")
    assert table(tmp_path, a, b).rows.changed == 4
    found = table(tmp_path, a, b, tolerance=1e-9)
    assert [change.key["id"] for change in found.rows.columns[0].largest] == [4, 3]
    assert table(tmp_path, values("(1, 10)"), values("(1, 11)"), tolerance=1.0).rows.changed == 1


def test_columns_that_came_went_or_changed_their_type(tmp_path: Path) -> None:
    found = table(
        tmp_path,
        "select 1::integer as id, 2::integer as v, 'x' as gone, date '2024-01-01' as d",
        "select 1::bigint as id, 2.0::double as v, 'x' as new, '2024-01-01' as d",
    )
    assert found.removed == (("gone", "VARCHAR"),)
    assert found.added == (("new", "VARCHAR"),)
    assert found.retyped == (("id", "INTEGER", "BIGINT"), ("v", "INTEGER", "DOUBLE"), ("d", "DATE", "VARCHAR"))
    assert (found.status, found.rows.changed, found.rows.only_a) == ("changed", 0, 0)
    found = table(tmp_path, "select 1 as id, '2.5' as v", "select 1 as id, 3.5::double as v")
    assert found.rows.columns[0].largest[0].b == "3.5"


def test_a_table_without_a_grain_is_a_bag_of_rows(tmp_path: Path) -> None:
    found = table(tmp_path, values("(1, 1), (1, 1), (2, 2)"), values("(1, 1), (3, null), (3, null)"), Question())
    assert (found.rows.only_a, found.rows.only_b, found.rows.changed) == (2, 2, 0)
    assert found.rows.examples_a == ({"id": 1, "v": 1}, {"id": 2, "v": 2})
    assert "no grain" in str(found.note)
    assert found.key == ()


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        ("(1, 1), (1, 2)", "(1, 1)", "not unique in A"),
        ("(1, 1)", "(1, 1), (1, 2)", "not unique in B"),
    ],
)
def test_a_grain_that_does_not_hold_is_said(tmp_path: Path, a: str, b: str, said: str) -> None:
    found = table(tmp_path, values(a), values(b))
    assert said in str(found.note)
    assert found.rows.only_a + found.rows.only_b == 1


def test_a_grain_that_one_build_has_not_is_said(tmp_path: Path) -> None:
    found = table(tmp_path, "select 1 as id, 5 as v", "select 5 as v")
    assert "id of its grain is not in both" in str(found.note)
    assert (found.removed, found.rows.only_a) == ((("id", "INTEGER"),), 0)


def test_nothing_shared_is_every_row(tmp_path: Path) -> None:
    found = table(tmp_path, "select 1 as x from range(3)", "select 1 as y from range(2)")
    assert (found.rows.only_a, found.rows.only_b, found.status) == (3, 2, "changed")


def test_a_label_has_no_size(tmp_path: Path) -> None:
    found = table(tmp_path, values("(1, 7)"), values("(1, 9)"), Question(("id",), labels=("v",)))
    assert [(change.a, change.b, change.difference) for change in found.rows.columns[0].largest] == [(7, 9, None)]


def test_odd_names_and_nested_values(tmp_path: Path) -> None:
    found = table(
        tmp_path,
        """select 1 as "the ""key", {'x': [1, 2]} as "window" """,
        """select 1 as "the ""key", {'x': [1, 3]} as "window" """,
        Question(('the "key',)),
    )
    assert found.rows.columns[0].largest[0].a == {"x": [1, 2]}


def test_tables_of_one_build_only(tmp_path: Path) -> None:
    questions = {name: Question() for name in ("mart.x", "mart.y", "mart.z")}
    found = compared(tmp_path, {"mart.x": "select 1 as i"}, {"mart.y": "select 1 as i"}, questions)
    assert {name: answer.status for name, answer in found.items()} == {"mart.x": "only_a", "mart.y": "only_b"}


def test_what_is_known_to_be_equal_is_not_read(tmp_path: Path) -> None:
    first = made_builds.write(tmp_path / "a.duckdb", {T: "select 1 as id"}, "A")
    second = made_builds.write(tmp_path / "b.duckdb", {T: "select 2 as id"}, "B")
    with warehouse.open_pair(tmp_path / "a.duckdb", tmp_path / "b.duckdb") as con:
        for same in ({"content": "x"}, {"run_id": "A"}):
            pair = [replace(m, models=(replace(m.models[0], **same),)) for m in (first, second)]
            (answer,) = diff.compare(con, pair[0], pair[1], {T: BY_ID}, Limits())
            assert (answer.status, answer.read) == ("same", False)


def test_a_key_both_builds_were_checked_for_needs_no_other_source(tmp_path: Path) -> None:
    promised = (CheckResult(T, "id: unique", "block", 0, ""),)
    first = made_builds.write(tmp_path / "a.duckdb", {T: values("(1, 1)")}, "A", checks=promised)
    second = made_builds.write(tmp_path / "b.duckdb", {T: values("(1, 2)")}, "B", checks=promised)
    with warehouse.open_pair(tmp_path / "a.duckdb", tmp_path / "b.duckdb") as con:
        (found,) = diff.compare(con, first, second, {T: Question()}, Limits())
        assert (found.key, found.rows.changed) == (("id",), 1)
        (found,) = diff.compare(con, first, replace(second, checks=()), {T: Question()}, Limits())
        assert (found.key, found.rows.changed, found.rows.only_a) == ((), 0, 1)


DAYS = "select date '2024-01-01' + (i // 10)::integer as day, i % 10 as id, {} as v from range(100) t(i)"
BY_DAY = Question(("day", "id"))


def test_a_session_that_differs_is_found(tmp_path: Path) -> None:
    found = table(tmp_path, DAYS.format("i"), DAYS.format("if(i = 57, -1, i)"), BY_DAY)
    (change,) = found.rows.columns[0].largest
    assert (change.key, change.a, change.b) == ({"day": dt.date(2024, 1, 6), "id": 7}, 57, -1)


def test_rows_without_a_session_are_compared_too(tmp_path: Path) -> None:
    a = "select * from (values (date '2024-01-01', 1), (null, 2)) t(day, id)"
    b = "select * from (values (date '2024-01-01', 1), (null, 3)) t(day, id)"
    found = table(tmp_path, a, b, Question((), "day"))
    assert (found.rows.only_a, found.rows.only_b) == (1, 1)


def recorded(salt: int, day: str = "day") -> str:
    """Hashes as a build keeps them: they say that nothing differs but, with a salt, the third day."""
    days = f"select {day} as date from {T}"
    return f"select '{T}' as model, date, count(*) as rows, if(date = date '2024-01-03', {salt}, 0) as hash from ({days}) group by date"


def test_recorded_hashes_say_where_to_look(tmp_path: Path) -> None:
    a, b = DAYS.format("i"), DAYS.format("if(i = 57 or i = 22, -1, i)")
    found = compared(tmp_path, {T: a, "ops.content": recorded(0)}, {T: b, "ops.content": recorded(1)}, {T: BY_DAY})[T]
    assert [change.key["id"] for change in found.rows.columns[0].largest] == [2]


def test_recorded_hashes_of_other_sessions_are_not_believed(tmp_path: Path) -> None:
    a, b = DAYS.format("i"), DAYS.format("if(i = 57, -1, i)")
    other = recorded(0, "day + 1")
    found = compared(tmp_path, {T: a, "ops.content": other}, {T: b, "ops.content": other}, {T: BY_DAY})[T]
    assert found.rows.changed == 1


def test_a_pair_reads_nothing_else_and_writes_nothing(tmp_path: Path) -> None:
    made_builds.write(tmp_path / "a.duckdb", {T: "select 1 as id"}, "A")
    made_builds.write(tmp_path / "b.duckdb", {T: "select 1 as id"}, "B")
    with warehouse.open_pair(tmp_path / "a.duckdb", tmp_path / "b.duckdb") as con:
        for sql in ("delete from a.mart.t", "select * from read_text('/etc/hostname')", "set threads = 1"):
            with pytest.raises(warehouse.DatabaseError):
                con.execute(sql)
    (tmp_path / "b.duckdb").write_text("this is no database", encoding="utf-8")
    with pytest.raises(TsqError, match="cannot be opened"):
        warehouse.open_pair(tmp_path / "a.duckdb", tmp_path / "b.duckdb")
