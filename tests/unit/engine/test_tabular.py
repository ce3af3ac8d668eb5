from __future__ import annotations

from pathlib import Path

import pytest

from tsq import strict_yaml
from tsq.engine import tabular, warehouse
from tsq.engine.tabular import Formula, Rows
from tsq.errors import TsqError

FILE = Path("cases.yml")


def read(text: str) -> Rows:
    return tabular.read(strict_yaml.parse(text, FILE), ("rows",))


def values(text: str, **types: str) -> list[tuple[object, ...]]:
    return tabular.fetch(warehouse.connect(), read(text), types)


def test_a_block_is_names_and_rows_with_their_lines() -> None:
    rows = read("# first\nrows: |\n  a | b\n  --|--\n  1 | x y\n\n  # a remark\n  2 |\n")
    assert rows.columns == ("a", "b")
    assert [dict(row.cells) for row in rows.rows] == [{"a": "1", "b": "x y"}, {"a": "2", "b": None}]
    assert [row.where for row in rows.rows] == ["cases.yml:5", "cases.yml:8"]


def test_a_block_may_have_pipes_around_it() -> None:
    rows = read("rows: |\n  | a | b |\n  |---|---|\n  | 1 |   |\n  |   | 2 |\n")
    assert rows.columns == ("a", "b")
    assert [dict(row.cells) for row in rows.rows] == [{"a": "1", "b": None}, {"a": None, "b": "2"}]


@pytest.mark.parametrize(
    ("cell", "means"),
    [
        ("''", ""),
        ("'a|b'", "a|b"),
        ("'it''s'", "it's"),
        ('"= 1"', "= 1"),
        ("= 1 + 1", Formula("1 + 1")),
        ("", None),
        ("it's", "it's"),
    ],
)
def test_what_a_cell_means(cell: str, means: object) -> None:
    rows = read(f"rows: |\n  a | b\n  {cell} | 7\n")
    assert dict(rows.rows[0].cells) == {"a": means, "b": "7"}


def test_mappings_are_rows_and_what_they_leave_out_is_null() -> None:
    assert values("rows: [{a: 1, b: x}, {a: 2}]", a="BIGINT", b="VARCHAR") == [(1, "x"), (2, None)]


def test_with_is_said_of_every_row_unless_the_row_says_otherwise() -> None:
    text = "rows:\n  with: {b: 9, c: true}\n  rows:\n    - {a: 1}\n    - {a: 2, b: 3}\n"
    assert values(text, a="BIGINT", b="BIGINT", c="BOOLEAN") == [(1, 9, True), (2, 3, True)]


def test_values_are_read_by_the_type_of_their_column() -> None:
    text = "rows: |\n  d | t | f | l\n  2024-01-02 | 2024-01-02 18:30+05:30 | NaN | [1, 2]\n"
    ((day, moment, number, numbers),) = values(text, d="DATE", t="TIMESTAMPTZ", f="DOUBLE", l="BIGINT[]")
    assert (str(day), moment.isoformat()) == ("2024-01-02", "2024-01-02T13:00:00+00:00")
    assert number != number
    assert numbers == [1, 2]


def test_a_formula_is_worked_out_in_decimals_and_doubles() -> None:
    assert values("rows: |\n  a\n  = sqrt(2) * sqrt(2)\n", a="DOUBLE")[0][0] == pytest.approx(2)


def test_a_default_stands_only_where_a_row_says_nothing() -> None:
    con, types = warehouse.connect(), {"a": "BIGINT", "b": "VARCHAR"}
    con.execute("create schema raw")
    tabular.create(con, "raw.x", types, {"b": "z"})
    tabular.insert(con, "raw.x", read("rows: [{a: 1}, {a: 2, b: null}]"), types)
    tabular.insert(con, "raw.x", read("rows:\n  query: select i + 2 as a from range(1, 3) as t (i)\n"), types)
    assert con.execute("select * from raw.x order by a").fetchall() == [(1, "z"), (2, None), (3, "z"), (4, "z")]


def test_a_query_that_does_not_run_says_where() -> None:
    con, types = warehouse.connect(), {"a": "BIGINT"}
    con.execute("create schema raw")
    tabular.create(con, "raw.x", types, {})
    with pytest.raises(TsqError, match=r"the query of raw\.x does not run") as error:
        tabular.insert(con, "raw.x", read("\nrows:\n  query: select 1 as b"), types)
    assert error.value.where == "cases.yml:2"


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("rows: |\n  a | b\n  1 | 2\n  1\n", "1 cells for 2 columns", 4),
        ("rows: |\n  a | a\n  1 | 2\n", "stands twice", 2),
        ("rows: 7\n", "list of rows", 1),
        ("rows: {wit: {a: 1}, rows: []}\n", "unknown key wit", 1),
        ("rows: {with: {a: 1}}\n", "no rows", 1),
        ("rows: {query: select 1, with: {a: 1}}\n", "no rows", 1),
    ],
)
def test_a_table_that_is_none_says_where(text: str, said: str, line: int) -> None:
    with pytest.raises(TsqError, match=said) as error:
        read(text)
    assert error.value.where == f"cases.yml:{line}"


@pytest.mark.parametrize(
    ("cell", "kind", "line"),
    [("2024-13-01", "DATE", 4), ("1.5", "INTEGER", 4), ("x", "DOUBLE", 4), ("= 1 / 'x'", "DOUBLE", 4)],
)
def test_a_value_that_cannot_be_read_names_its_line(cell: str, kind: str, line: int) -> None:
    good = "2024-01-01" if kind == "DATE" else "1"
    with pytest.raises(TsqError, match=f"which is not a {kind}") as error:
        values(f"rows: |\n  a\n  {good}\n  {cell}\n", a=kind)
    assert error.value.where == f"cases.yml:{line}"


def test_an_unknown_column_is_told_with_the_nearest() -> None:
    with pytest.raises(TsqError, match=r"pit\.x has no column clsoe") as error:
        tabular.check_names(read("rows: [{clsoe: 1}]"), ["close", "open"], "pit.x")
    assert error.value.hint == "did you mean close?"
