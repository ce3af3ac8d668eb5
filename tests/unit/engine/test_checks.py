"""A table's promises: what is counted, what is kept of the rows that break them, what the error says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl
import pytest

from tsq import config
from tsq.engine import catalog, checks, failed, warehouse
from tsq.engine.compile import Compiled, compile_catalog
from tsq.engine.graph import build
from tsq.engine.warehouse import Connection
from tsq.errors import TsqError

MakeProject = Callable[[Mapping[str, str]], Path]

NAMES = "/*---\ngrain: [id]\n---\n*/\nselect 1 as id"
ROWS = """/*---
grain: [day, id]
date: day
references: {{id: base.names.id}}
checks: {checks}
---
*/
select day, id, x from base.names
"""


@pytest.fixture
def con() -> Connection:
    con = warehouse.connect()
    con.execute("set preserve_insertion_order = false")
    con.execute("create schema base; create schema mart")
    con.execute("create table base.names as select * from (values (1), (2), (null)) as t(id)")
    return con


def compiled(make_project: MakeProject, rules: str = "[]", text: str = ROWS) -> Compiled:
    root = make_project({"models/base/names.sql": NAMES, "models/mart/rows.sql": text.format(checks=rules)})
    return compile_catalog(catalog.read(config.load(root)))["mart.rows"]


def made(con: Connection, values: str) -> Connection:
    con.execute(f"create or replace table mart.rows as select * from (values {values}) as t(day, id, x)")
    return con


def failures(con: Connection, node: Compiled, where: str | None = None, moved: tuple[str, ...] = ()) -> dict[str, int]:
    return {result.name: result.failed for result in checks.verify(con, node, where=where, moved=moved)[1]}


STANDS = "id: stands in base.names.id"
UNIQUE = "day, id: unique"
NULL = "day, id: not null"


def test_a_value_must_stand_where_it_refers_to(make_project: MakeProject, con: Connection) -> None:
    node = compiled(make_project)
    rows, _ = checks.verify(made(con, "(1, 1, 0), (1, 2, 0)"), node)
    assert rows == 2
    assert failures(con, node) == {NULL: 0, UNIQUE: 0, STANDS: 0}
    assert failures(made(con, "(1, 1, 0), (1, 3, 0), (2, 3, 0), (3, 4, 0)"), node)[STANDS] == 3
    # null refers to nothing, and a null in the other table is nobody's
    assert failures(made(con, "(1, 1, 0), (1, null, 0)"), node) == {NULL: 1, UNIQUE: 0, STANDS: 0}


def test_the_rows_that_refer_to_nothing_are_whole_rows(make_project: MakeProject, con: Connection) -> None:
    node = compiled(make_project)
    results = checks.verify(made(con, "(1, 1, 0), (7, 3, 5)"), node)[1]
    (sql,) = [result.sql for result in results if result.name == STANDS]
    assert con.execute(sql).fetchall() == [(7, 3, 5)]


def test_rows_that_broke_a_warning_before_stay_in_the_count(make_project: MakeProject, con: Connection) -> None:
    node = compiled(make_project, '[{rows: "x > 0", level: warn, name: high}, {rows: "x > 0", name: hard}]')
    found = failures(made(con, "(1, 1, 0), (2, 2, 1), (2, 1, 0)"), node, where="day = 2")
    assert (found["high"], found["hard"]) == (2, 1)


def test_a_reference_to_a_table_that_moved_is_counted_over_all_rows(make_project: MakeProject, con: Connection) -> None:
    node = compiled(make_project)
    made(con, "(1, 3, 0), (2, 1, 0)")
    count = {moved: failures(con, node, where="day = 2", moved=moved)[STANDS] for moved in ((), ("base.names",))}
    assert count == {(): 0, ("base.names",): 1}


def test_a_table_may_refer_to_itself(make_project: MakeProject, con: Connection) -> None:
    text = "/*---\nreferences: {{x: mart.rows.id}}\nchecks: {checks}\n---\n*/\nselect id, x from base.names"
    node = compiled(make_project, text=text)
    assert node.reads == ("base.names",)
    assert failures(made(con, "(1, 1, null), (1, 2, 1), (1, 3, 9)"), node) == {"x: stands in mart.rows.id": 1}


def test_a_reference_orders_the_graph_and_makes_no_rows(make_project: MakeProject) -> None:
    text = "/*---\nreferences: {{x: base.names.id}}\nchecks: {checks}\n---\n*/\nselect 1 as x"
    node = compiled(make_project, text=text)
    assert node.reads == node.check_reads == ("base.names",)
    assert node.own_reads == ()
    alone = compiled(make_project, text="/*---\nchecks: {checks}\n---\n*/\nselect 1 as x")
    assert node.own_hash == alone.own_hash
    assert node.promise_hash != alone.promise_hash


def test_a_table_that_says_when_rows_are_known_is_built_before(make_project: MakeProject) -> None:
    text = '/*---\nknowable: "(select max(id) from base.names)"\nchecks: {checks}\n---\n*/\nselect 1 as x'
    node = compiled(make_project, text=text)
    assert node.check_reads == ("base.names",)
    assert node.own_reads == ()


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("names", "refers to 'names'"),
        ("base.names", "refers to 'base.names'"),
        ("base.name.id", "base.name, which nothing makes"),
    ],
)
def test_a_reference_to_nothing_is_found_before_anything_runs(
    make_project: MakeProject, target: str, said: str
) -> None:
    root = make_project(
        {
            "models/base/names.sql": NAMES,
            "models/mart/rows.sql": f"/*---\nreferences: {{x: {target}}}\n---\n*/\nselect 1 as x",
        }
    )
    found = catalog.read(config.load(root))
    with pytest.raises(TsqError, match=said.replace("'", ".")) as caught:
        build(found, compile_catalog(found))
    assert "rows.sql" in str(caught.value.where)


def test_a_column_that_is_not_there_cannot_be_referred_to(make_project: MakeProject, con: Connection) -> None:
    text = "/*---\nreferences: {{x: base.names.idd}}\nchecks: {checks}\n---\n*/\nselect 1 as x from base.names"
    with pytest.raises(TsqError, match="cannot be checked"):
        checks.verify(made(con, "(1, 1, 0)"), compiled(make_project, text=text))


def test_only_the_part_that_changed_is_counted(make_project: MakeProject, con: Connection) -> None:
    rules = '["x >= 0", {query: "select * from mart.rows where x < 0", name: whole}]'
    node = compiled(make_project, rules)
    made(con, "(1, 1, -1), (1, 1, 0), (1, 9, 0), (2, 1, 0), (2, 8, -1), (2, 2, 0), (2, 2, 0)")
    assert failures(con, node) == {NULL: 0, UNIQUE: 2, STANDS: 2, "x >= 0": 2, "whole": 2}
    rows, _ = checks.verify(con, node, where="day = 2")
    assert rows == 7
    assert failures(con, node, "day = 2") == {NULL: 0, UNIQUE: 1, STANDS: 1, "x >= 0": 1, "whole": 2}
    assert failures(con, node, "day = 3") == {NULL: 0, UNIQUE: 0, STANDS: 0, "x >= 0": 0, "whole": 2}


def test_a_part_says_nothing_of_a_key_without_its_date(make_project: MakeProject, con: Connection) -> None:
    text = "/*---\ngrain: [id]\ndate: day\nchecks: {checks}\n---\n*/\nselect day, id, x from base.names"
    node = compiled(make_project, text=text)
    assert failures(made(con, "(1, 1, 0), (2, 1, 0)"), node, "day = 2")["id: unique"] == 1


def test_rows_that_break_a_promise_are_kept(make_project: MakeProject, con: Connection, tmp_path: Path) -> None:
    node = compiled(make_project, '["x >= 0", {rows: "x < 9", level: warn}]')
    made(con, "(3, 2, -1), (2, 1, -5), (1, 1, 9), (1, 7, 0)")
    folder = tmp_path / "failed"
    with pytest.raises(TsqError) as caught:
        checks.enforce(con, node, folder)
    assert "1 rows break `id: stands in base.names.id`; the first: day=1, id=7, x=0" in caught.value.what
    assert caught.value.hint is not None
    assert "tsq failed mart.rows" in caught.value.hint
    stands, positive = failed.read(folder)
    assert (stands.check, stands.failed, stands.kept, stands.model) == (STANDS, 1, 1, "mart.rows")
    assert positive.file == "02_x_0.parquet"
    rows = pl.read_parquet(folder / "mart.rows" / positive.file)
    assert rows.rows() == [(2, 1, -5), (3, 2, -1)]
    assert not list(folder.glob(".*"))


def test_kept_rows_are_replaced_and_go_when_the_promise_holds(
    make_project: MakeProject, con: Connection, tmp_path: Path
) -> None:
    node = compiled(make_project, '["x >= 0", "x < 9"]')
    for values, kept in (("(1, 1, -1)", ["x >= 0"]), ("(1, 1, 9)", ["x < 9"])):
        with pytest.raises(TsqError):
            checks.enforce(made(con, values), node, tmp_path)
        assert [one.check for one in failed.read(tmp_path)] == kept
    checks.enforce(made(con, "(1, 1, 1)"), node, tmp_path)
    assert failed.read(tmp_path) == ()
    assert not list(tmp_path.glob("mart*"))


def test_a_thousand_rows_are_enough(make_project: MakeProject, con: Connection, tmp_path: Path) -> None:
    node = compiled(make_project, '["x >= 0"]')
    con.execute("create table mart.rows as select i as day, 1 as id, -1 as x from range(2500) as t(i)")
    with pytest.raises(TsqError, match="2,500 rows break"):
        checks.enforce(con, node, tmp_path)
    (one,) = failed.read(tmp_path)
    assert (one.failed, one.kept) == (2500, failed.MOST_ROWS)
    assert pl.read_parquet(tmp_path / "mart.rows" / one.file)["day"].to_list() == list(range(1000))


def test_rows_of_any_type_are_kept(make_project: MakeProject, con: Connection, tmp_path: Path) -> None:
    odd = 'select sum(x), interval 1 day, [1, 2], 1::uhugeint, null, x as \\"a b\\", x as \\"a b\\" from mart.rows group by x'
    node = compiled(make_project, f'[{{query: "{odd}", name: odd}}]')
    with pytest.raises(TsqError, match="rows break `odd`"):
        checks.enforce(made(con, "(1, 1, 4)"), node, tmp_path)
    (one,) = failed.read(tmp_path)
    assert pl.read_parquet(tmp_path / "mart.rows" / one.file).row(0) == ("4", "1 day", "[1, 2]", "1", None, 4, 4)


def test_every_promise_is_one_statement(
    make_project: MakeProject, con: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = compiled(make_project, '["x >= 0", "x < 9"]')
    asked: list[str] = []

    class Listening:
        def execute(self, sql: str) -> Connection:
            asked.append(sql)
            return con.execute(sql)

    made(con, "(1, 1, 0)")
    checks.verify(Listening(), node)  # type: ignore[arg-type]
    assert sum("base.names" in sql for sql in asked) == 1
    assert sum("x < 9" in sql for sql in asked) == 1
